using System.Net;
using System.Net.NetworkInformation;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeNode.Storage;

namespace EdgeNode.Http;

/// <summary>
/// The certificate that HTTPS is served with: that of the configuration, read anew when its file changes; or the node's own (ECDSA P-256,
/// self-signed, RFC 5280), made at first start in the state folder and again before it ends. Thread-safe.
/// </summary>
internal sealed class NodeCertificate : IDisposable
{
    /// <summary>Name of the own certificate's file, key included, in the state folder.</summary>
    internal const string FileName = "https.pem";

    // Browsers take no server certificate that is valid for longer (CA/Browser Forum, 398 days).
    private static readonly TimeSpan Validity = TimeSpan.FromDays(397);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    private readonly Func<SslStreamCertificateContext> _load;
    private readonly Func<X509Certificate2, bool> _isOutdated;
    private readonly Action<string> _warn;
    private readonly ITimer _watch;
    private volatile SslStreamCertificateContext _current;

    private NodeCertificate(Func<SslStreamCertificateContext> load, Func<X509Certificate2, bool> isOutdated, Action<string> warn, TimeProvider time)
    {
        _load = load;
        _isOutdated = isOutdated;
        _warn = warn;
        _current = load();
        _watch = time.CreateTimer(static me => ((NodeCertificate)me!).Look(), this, LookEvery, LookEvery);
    }

    /// <summary>The certificate now, with its key and those that vouch for it.</summary>
    public SslStreamCertificateContext Current => _current;

    /// <summary>The node's own: read from <paramref name="stateFolder"/>, or made for <paramref name="node"/>.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static NodeCertificate Own(string stateFolder, string node, Action<string> warn, TimeProvider time)
    {
        string path = Path.Combine(stateFolder, FileName);
        return new NodeCertificate(() => SslStreamCertificateContext.Create(LoadOrMake(path, node, time), null, offline: true), certificate => IsEnding(certificate, time), warn, time);
    }

    /// <summary>A given one; <paramref name="certificate"/> holds those that vouch for it too.</summary>
    /// <exception cref="IOException">The files cannot be read or do not belong together; the message says what to do.</exception>
    public static NodeCertificate Given(string certificate, string key, Action<string> warn, TimeProvider time)
    {
        var readAt = new DateTime[1];
        return new NodeCertificate(
            () =>
            {
                readAt[0] = ChangedAt(certificate, key);
                return Read(certificate, key);
            },
            _ => ChangedAt(certificate, key) != readAt[0],
            warn,
            time);
    }

    /// <inheritdoc/>
    public void Dispose() => _watch.Dispose();

    // Connections that began with the old one still use it, so it is left to the finalizer.
    private void Look()
    {
        try
        {
            if (_isOutdated(_current.TargetCertificate))
                _current = _load();
        }
        catch (IOException fault)
        {
            _warn($"The certificate for HTTPS could not be renewed, and the old one is used on: {fault.Message}");
        }
    }

    private static X509Certificate2 LoadOrMake(string path, string node, TimeProvider time)
    {
        if (File.Exists(path))
        {
            try
            {
                X509Certificate2 kept = X509Certificate2.CreateFromPemFile(path);
                if (!IsEnding(kept, time))
                    return kept;
                kept.Dispose();
            }
            catch (CryptographicException)
            {
                // Damaged: nobody misses a certificate that nobody signed, so another is made.
            }
        }

        (string pem, X509Certificate2 made) = Make(node, time);
        AtomicFile.Write(path, Encoding.ASCII.GetBytes(pem));
        return made;
    }

    private static (string Pem, X509Certificate2 Certificate) Make(string node, TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={node}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "serverAuth")], false));
        var names = new SubjectAlternativeNameBuilder();
        string host = Dns.GetHostName();
        foreach (string name in new[] { node, $"edgenode-{node}.local", host, $"{host}.local", "localhost" }.Where(IsDnsName).Distinct(StringComparer.OrdinalIgnoreCase))
            names.AddDnsName(name);
        foreach (IPAddress address in Addresses())
            names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = time.GetUtcNow();
        // A board without a battery may start with a clock that lies behind.
        using X509Certificate2 signed = request.CreateSelfSigned(now - TimeSpan.FromDays(1), now + Validity - TimeSpan.FromDays(1));
        string pem = signed.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
        return (pem, X509Certificate2.CreateFromPem(signed.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem()));
    }

    private static bool IsDnsName(string name) => name.Length is > 0 and <= 253 && Uri.CheckHostName(name) == UriHostNameType.Dns;

    private static IEnumerable<IPAddress> Addresses()
    {
        yield return IPAddress.Loopback;
        yield return IPAddress.IPv6Loopback;
        foreach (NetworkInterface port in NetworkInterface.GetAllNetworkInterfaces().Where(p => p.OperationalStatus == OperationalStatus.Up && p.NetworkInterfaceType != NetworkInterfaceType.Loopback))
        {
            foreach (UnicastIPAddressInformation unicast in port.GetIPProperties().UnicastAddresses)
            {
                if (unicast.Address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 && !unicast.Address.IsIPv6LinkLocal)
                    yield return unicast.Address;
            }
        }
    }

    private static bool IsEnding(X509Certificate2 certificate, TimeProvider time) => certificate.NotAfter.ToUniversalTime() - time.GetUtcNow().UtcDateTime < RenewBefore;

    private static SslStreamCertificateContext Read(string certificate, string key)
    {
        try
        {
            var all = new X509Certificate2Collection();
            all.ImportFromPemFile(certificate);
            return SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(certificate, key), all, offline: true);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            throw new IOException($"http.certificate '{certificate}' and http.key '{key}' must be PEM files that belong together: {fault.Message}", fault);
        }
        catch (UnauthorizedAccessException fault)
        {
            throw new IOException($"http.certificate '{certificate}' and http.key '{key}' cannot be read: {fault.Message}", fault);
        }
    }

    private static DateTime ChangedAt(string certificate, string key) => new[] { File.GetLastWriteTimeUtc(certificate), File.GetLastWriteTimeUtc(key) }.Max();
}
