using System.IO.Compression;

namespace EdgeNode.Streaming;

/// <summary>A playlist in one state, UTF-8, shared by all viewers; compressed at most once, by the first who asks for that. Thread-safe.</summary>
public sealed class PlaylistText(byte[] bytes)
{
    private readonly Lock _gate = new();
    private byte[]? _gzipped;

    /// <summary>The text.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <summary>The text in gzip (RFC 1952).</summary>
    public ReadOnlyMemory<byte> Gzipped
    {
        get
        {
            lock (_gate)
                return _gzipped ??= Compress();
        }
    }

    private byte[] Compress()
    {
        using var compressed = new MemoryStream(1024);
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(bytes);
        return compressed.ToArray();
    }
}
