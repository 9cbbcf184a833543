// HttpClient as a client, and Kestrel as a server whose connections log in with NegotiateAuthentication.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

static class Web
{
    // scheme, user, password, target's proxy, certificate, body (bytes to post), times, parallel
    static SocketsHttpHandler Handler(string url, Dictionary<string, string> options)
    {
        CredentialCache cache = new();
        string place = options.GetValueOrDefault("proxy", url);
        cache.Add(new Uri(place), options["scheme"], End.Credential(options));
        SocketsHttpHandler handler = new() { UseProxy = false };
        if (options.ContainsKey("proxy"))
        {
            handler.UseProxy = true;
            handler.Proxy = new WebProxy(place) { Credentials = cache };
        }
        else
        {
            handler.Credentials = cache;
        }
        if (options.TryGetValue("certificate", out string file))
        {
            byte[] expected = X509CertificateLoader.LoadCertificateFromFile(file).RawData;
            handler.SslOptions.RemoteCertificateValidationCallback =
                (_, shown, _, _) => shown.GetRawCertData().AsSpan().SequenceEqual(expected);
        }
        return handler;
    }

    static async Task<string> Request(HttpClient client, string url, Dictionary<string, string> options)
    {
        try
        {
            using HttpResponseMessage response = options.TryGetValue("body", out string size)
                ? await client.PostAsync(url, new ByteArrayContent(new byte[int.Parse(size)]))
                : await client.GetAsync(url);
            string text = (await response.Content.ReadAsStringAsync()).Trim();
            string user = response.Headers.TryGetValues("X-Remote-User", out IEnumerable<string> named) ? named.First() : "";
            string shown = user.Length == 0 || size != null ? text : user;
            return (int)response.StatusCode + (response.IsSuccessStatusCode ? " " + shown : "");
        }
        catch (HttpRequestException error)
        {
            return error.Message;
        }
    }

    // Prints how many answers were which.
    public static async Task<int> Get(string url, Dictionary<string, string> options)
    {
        using HttpClient client = new(Handler(url, options)) { Timeout = TimeSpan.FromSeconds(60) };
        int parallel = int.Parse(options.GetValueOrDefault("parallel", "1"));
        int times = int.Parse(options.GetValueOrDefault("times", "1"));
        List<string> answers = [];
        for (int i = 0; i < times; ++i)
            answers.AddRange(await Task.WhenAll(Enumerable.Range(0, parallel).Select(_ => Request(client, url, options))));
        foreach (IGrouping<string, string> same in answers.GroupBy(a => a))
            Console.WriteLine(same.Count() + " x " + same.Key);
        return 0;
    }

    static Task Answer(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(text + "\n");
    }

    static Task Ask(HttpContext context, params string[] headers)
    {
        foreach (string header in headers)
            context.Response.Headers.Append("WWW-Authenticate", header);
        return Answer(context, 401, "no login");
    }

    // The login is the connection's, as in ASP.NET Core's Negotiate handler.
    static async Task Login(HttpContext context)
    {
        IDictionary<object, object> connection = context.Features.Get<IConnectionItemsFeature>().Items;
        await context.Request.Body.CopyToAsync(Stream.Null);
        string[] header = context.Request.Headers.Authorization.ToString().Split(' ');
        if (header.Length != 2)
        {
            await (connection.TryGetValue("user", out object user) ? Answer(context, 200, "user " + user)
                                                                  : Ask(context, "Negotiate", "NTLM"));
            return;
        }
        if (!connection.TryGetValue("end", out object begun))
            begun = connection["end"] = new NegotiateAuthentication(new NegotiateAuthenticationServerOptions { Package = header[0] });
        NegotiateAuthentication end = (NegotiateAuthentication)begun;
        string token = end.GetOutgoingBlob(header[1], out NegotiateAuthenticationStatusCode status);
        if (status == NegotiateAuthenticationStatusCode.ContinueNeeded)
        {
            await Ask(context, header[0] + " " + token);
            return;
        }
        connection.Remove("end");
        if (status != NegotiateAuthenticationStatusCode.Completed)
        {
            await Ask(context, "Negotiate", "NTLM");
            return;
        }
        connection["user"] = end.RemoteIdentity.Name;
        if (token != null)
            context.Response.Headers.WWWAuthenticate = header[0] + " " + token;
        await Answer(context, 200, "user " + end.RemoteIdentity.Name);
    }

    // Prints its address, and serves until standard input ends.
    public static int Serve(Dictionary<string, string> options)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http1));
        WebApplication application = builder.Build();
        application.Run(Login);
        application.StartAsync().GetAwaiter().GetResult();
        Console.WriteLine(application.Urls.First().Replace("127.0.0.1", "localhost"));
        Console.In.ReadToEnd();
        return 0;
    }
}
