using System.Net;

namespace EdgeNode.Http;

/// <summary>Whom an address stands for where somebody's requests are counted.</summary>
internal static class ClientNetwork
{
    private const int NetworkBytes = 8;

    /// <summary>An IPv4 address as it is; of an IPv6 address the network of 64 bits (RFC 4291 §2.5.4): one host has as many addresses in it as it likes.</summary>
    public static IPAddress Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6)
            return address;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[NetworkBytes..].Clear();
        return new IPAddress(bytes);
    }
}
