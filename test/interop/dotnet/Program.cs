// What test/interop/dotnet.py and dotnet_web.sh start:
//
//   initiate|accept raw|spnego [KEY=VALUE...]    one end of an exchange (End.cs)
//   http URL [KEY=VALUE...]                      requests by HttpClient (Web.cs)
//   kestrel                                      a web server that asks for a login (Web.cs)
//   stream-server|stream-client [KEY=VALUE...]   NegotiateStream (Messages.cs)
//   smtp [KEY=VALUE...]                          a message by SmtpClient (Messages.cs)
//
// managed=yes: .NET's own NTLM in place of GSSAPI's.
using System;
using System.Collections.Generic;
using System.Linq;

static class Program
{
    static int Main(string[] arguments)
    {
        // The last of two counts.
        Dictionary<string, string> options = [];
        foreach (string argument in arguments.Where(a => a.Contains('=')))
            options[argument[..argument.IndexOf('=')]] = argument[(argument.IndexOf('=') + 1)..];
        if (options.ContainsKey("managed"))
            AppContext.SetSwitch("System.Net.Security.UseManagedNtlm", true);
        switch (arguments[0])
        {
            case "initiate":
            case "accept":
                return End.Run(arguments[0], arguments[1], options);
            case "http":
                return Web.Get(arguments[1], options).GetAwaiter().GetResult();
            case "kestrel":
                return Web.Serve(options);
            case "stream-server":
                return Messages.ServeStream().GetAwaiter().GetResult();
            case "stream-client":
                return Messages.UseStream(options).GetAwaiter().GetResult();
            case "smtp":
                return Messages.SendMail(options);
            case "version":
                Console.WriteLine(Environment.Version);
                return 0;
            default:
                Console.Error.WriteLine("no such command: " + arguments[0]);
                return 2;
        }
    }
}
