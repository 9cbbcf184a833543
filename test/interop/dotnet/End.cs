// One end of an exchange by System.Net.Security.NegotiateAuthentication, in the frames of peer.py.
using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Runtime.InteropServices;
using System.Security.Authentication.ExtendedProtection;
using System.Text;

// As SslStream hands them out: a SEC_CHANNEL_BINDINGS, of which only the application's data count here.
sealed class Bindings : ChannelBinding
{
    const int HeadSize = 32;
    readonly int size;

    public Bindings(string text) : base(true)
    {
        byte[] data = Encoding.UTF8.GetBytes(text);
        size = HeadSize + data.Length;
        SetHandle(Marshal.AllocHGlobal(size));
        for (int i = 0; i < HeadSize; ++i)
            Marshal.WriteByte(handle, i, 0);
        Marshal.Copy(data, 0, handle + HeadSize, data.Length);
    }

    public override int Size => size;

    protected override bool ReleaseHandle()
    {
        Marshal.FreeHGlobal(handle);
        return true;
    }
}

sealed class Refused : Exception
{
    public Refused(string why) : base(why) { }
}

static class End
{
    static readonly Stream input = Console.OpenStandardInput();
    static readonly Stream output = Console.OpenStandardOutput();

    static void Send(char kind, ReadOnlySpan<byte> data)
    {
        byte[] frame = new byte[5 + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, 1 + data.Length);
        frame[4] = (byte)kind;
        data.CopyTo(frame.AsSpan(5));
        output.Write(frame);
        output.Flush();
    }

    static byte[] Receive()
    {
        byte[] head = new byte[4];
        input.ReadExactly(head);
        byte[] data = new byte[BinaryPrimitives.ReadInt32BigEndian(head)];
        input.ReadExactly(data);
        return data;
    }

    public static ProtectionLevel Level(string name) => name switch
    {
        "none" => ProtectionLevel.None,
        "sign" => ProtectionLevel.Sign,
        _ => ProtectionLevel.EncryptAndSign,
    };

    // No user: the default credential.
    public static NetworkCredential Credential(Dictionary<string, string> options)
    {
        if (!options.TryGetValue("user", out string user))
            return CredentialCache.DefaultNetworkCredentials;
        int at = user.IndexOf('\\');
        string password = options.GetValueOrDefault("password", "");
        return at < 0 ? new NetworkCredential(user, password)
                      : new NetworkCredential(user[(at + 1)..], password, user[..at]);
    }

    static NegotiateAuthentication Begin(string role, string mechanism, Dictionary<string, string> options)
    {
        string package = mechanism == "raw" ? "NTLM" : "Negotiate";
        if (role == "accept")
            return new(new NegotiateAuthenticationServerOptions { Package = package });
        return new(new NegotiateAuthenticationClientOptions
        {
            Package = package,
            Credential = Credential(options),
            TargetName = options.GetValueOrDefault("target", "HTTP/server.example"),
            RequiredProtectionLevel = Level(options.GetValueOrDefault("protect", "seal")),
            Binding = options.TryGetValue("bindings", out string text) ? new Bindings(text) : null,
        });
    }

    static void Handshake(NegotiateAuthentication end, byte[] token)
    {
        while (true)
        {
            byte[] next = end.GetOutgoingBlob(token, out NegotiateAuthenticationStatusCode status);
            if (status != NegotiateAuthenticationStatusCode.Completed &&
                status != NegotiateAuthenticationStatusCode.ContinueNeeded)
                throw new Refused(status.ToString());
            bool done = status == NegotiateAuthenticationStatusCode.Completed;
            Send(done ? '+' : '-', next ?? []);
            if (done)
                return;
            token = Receive();
        }
    }

    static byte[] Checked(NegotiateAuthenticationStatusCode status, ArrayBufferWriter<byte> made) =>
        status == NegotiateAuthenticationStatusCode.Completed ? made.WrittenSpan.ToArray() : throw new Refused(status.ToString());

    static byte[] Answer(NegotiateAuthentication end, string command, ReadOnlySpan<byte> data)
    {
        ArrayBufferWriter<byte> made = new();
        switch (command)
        {
            case "wrap":
            case "wrap0":
                return Checked(end.Wrap(data, made, command == "wrap", out _), made);
            case "unwrap":
                return Checked(end.Unwrap(data, made, out _), made);
            case "mic":
                end.ComputeIntegrityCheck(data, made);
                return made.WrittenSpan.ToArray();
            case "verify":
                return end.VerifyIntegrityCheck(data[16..], data[..16]) ? [] : throw new Refused("another signature");
            case "name":
                return Encoding.UTF8.GetBytes(end.RemoteIdentity.Name);
            case "flags":
                return Encoding.ASCII.GetBytes($"{(end.IsSigned ? 0x20 : 0) | (end.IsEncrypted ? 0x10 : 0):x}");
            case "mech":
                return Encoding.ASCII.GetBytes(end.Package.ToLowerInvariant());
            default:
                throw new ArgumentException(command);
        }
    }

    // initiate|accept raw|spnego
    public static int Run(string role, string mechanism, Dictionary<string, string> options)
    {
        try
        {
            using NegotiateAuthentication end = Begin(role, mechanism, options);
            Handshake(end, role == "accept" ? Receive() : []);
            while (true)
            {
                byte[] line = Receive();
                int blank = Array.IndexOf(line, (byte)' ');
                int size = blank < 0 ? line.Length : blank;
                try
                {
                    Send('+', Answer(end, Encoding.ASCII.GetString(line, 0, size), line.AsSpan(Math.Min(size + 1, line.Length))));
                }
                catch (Exception error) when (error is Refused or InvalidOperationException or System.ComponentModel.Win32Exception)
                {
                    Send('!', Encoding.UTF8.GetBytes(error.Message));
                }
            }
        }
        catch (Refused error)
        {
            Send('!', Encoding.UTF8.GetBytes(error.Message));
            return 1;
        }
        catch (EndOfStreamException)
        {
            return 0;
        }
    }
}
