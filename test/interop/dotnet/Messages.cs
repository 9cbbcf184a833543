// NegotiateStream over loopback, and SmtpClient.
using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Mail;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Principal;
using System.Threading.Tasks;

static class Messages
{
    const int Size = 10 << 20; // each way

    static async Task<byte[]> ReadAll(Stream from)
    {
        byte[] data = new byte[Size];
        await from.ReadExactlyAsync(data);
        return data;
    }

    // Prints its port, and then a line for each client until standard input ends. What comes is sent back.
    public static async Task<int> ServeStream()
    {
        TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Console.WriteLine(((IPEndPoint)listener.LocalEndpoint).Port);
        _ = Task.Run(() => { Console.In.ReadToEnd(); Environment.Exit(0); });
        while (true)
        {
            using TcpClient client = await listener.AcceptTcpClientAsync();
            using NegotiateStream stream = new(client.GetStream());
            try
            {
                await stream.AuthenticateAsServerAsync(CredentialCache.DefaultNetworkCredentials, ProtectionLevel.None,
                                                       TokenImpersonationLevel.Identification);
                Console.WriteLine($"user {stream.RemoteIdentity.Name} signed {stream.IsSigned} encrypted {stream.IsEncrypted}");
                await stream.WriteAsync(await ReadAll(stream));
            }
            catch (Exception error) when (error is AuthenticationException or IOException)
            {
                Console.WriteLine("rejected");
            }
        }
    }

    // port, protect and what a credential takes
    public static async Task<int> UseStream(Dictionary<string, string> options)
    {
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, int.Parse(options["port"]));
        using NegotiateStream stream = new(client.GetStream());
        try
        {
            await stream.AuthenticateAsClientAsync(End.Credential(options), "HOST/server.example", End.Level(options["protect"]),
                                                   TokenImpersonationLevel.Identification);
            byte[] sent = RandomNumberGenerator.GetBytes(Size);
            Task writing = Task.Run(() => stream.WriteAsync(sent).AsTask());
            byte[] got = await ReadAll(stream);
            await writing;
            Console.WriteLine(sent.AsSpan().SequenceEqual(got) ? "10 MiB each way" : "other bytes came back");
        }
        catch (Exception error) when (error is AuthenticationException or IOException)
        {
            Console.WriteLine("rejected: " + error.GetType().Name);
        }
        return 0;
    }

    public static int SendMail(Dictionary<string, string> options)
    {
        using SmtpClient client = new("localhost", int.Parse(options["port"])) { Credentials = End.Credential(options), Timeout = 60000 };
        try
        {
            client.Send("alice@corp.example", "bob@corp.example", "a subject", "a body");
            Console.WriteLine("sent");
        }
        catch (SmtpException error)
        {
            Console.WriteLine("rejected: " + error.StatusCode);
        }
        return 0;
    }
}
