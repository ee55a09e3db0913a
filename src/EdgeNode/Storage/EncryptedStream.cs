using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EdgeNode.Storage;

/// <summary>
/// A file encrypted under a passphrase. Header: magic (16 bytes), PBKDF2-SHA256 iterations (uint32, big-endian), salt (16), check of the
/// passphrase (16). Then chunks of 65,536 bytes, the last one shorter or as long, each AES-256-GCM with its tag (16) behind it, the header
/// as associated data, and as nonce its number (11 bytes, big-endian) and whether it is the last (1): the STREAM construction (Hoang,
/// Reyhanitabar, Rogaway, Vizár 2015), so that no chunk can be left out, moved, or cut off behind. Passes one way once.
/// </summary>
internal sealed class EncryptedStream : Stream
{
    internal const int Iterations = 600_000;

    // An altered header must not hold anybody up for hours.
    private const int IterationsAtMost = 10_000_000;
    private const int SaltBytes = 16;
    private const int CheckBytes = 16;
    private const int ChunkBytes = 1 << 16;
    private const int HeaderBytes = 16 + 4 + SaltBytes + CheckBytes;

    private readonly Stream _file;
    private readonly string _name;
    private readonly byte[] _header;
    private readonly AesGcm _aes;
    private readonly bool _writes;
    private readonly byte[] _plain = new byte[ChunkBytes];
    private readonly byte[] _sealed = new byte[ChunkBytes + SealedBox.TagBytes];
    private readonly byte[] _next = new byte[ChunkBytes + SealedBox.TagBytes];
    private int _nextLength;
    private int _length;
    private int _position;
    private long _chunk;
    private bool _isLast;

    private EncryptedStream(Stream file, string name, byte[] header, byte[] key, bool writes)
    {
        _file = file;
        _name = name;
        _header = header;
        _aes = new AesGcm(key, SealedBox.TagBytes);
        _writes = writes;
        CryptographicOperations.ZeroMemory(key);
    }

    private static ReadOnlySpan<byte> Magic => "EDGENODE-BACKUP1"u8;

    /// <inheritdoc/>
    public override bool CanRead => !_writes;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => _writes;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Begins a file; <see cref="Finish"/> ends it.</summary>
    internal static EncryptedStream Create(Stream file, string name, string passphrase)
    {
        byte[] header = new byte[HeaderBytes];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(16), Iterations);
        RandomNumberGenerator.Fill(header.AsSpan(20, SaltBytes));
        (byte[] key, byte[] check) = Derive(passphrase, header);
        check.CopyTo(header, HeaderBytes - CheckBytes);
        file.Write(header);
        return new EncryptedStream(file, name, header, key, writes: true);
    }

    /// <exception cref="InvalidDataException">It is none, or the passphrase is wrong.</exception>
    internal static EncryptedStream Open(Stream file, string name, string passphrase)
    {
        byte[] header = new byte[HeaderBytes];
        if (file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes || !header.AsSpan().StartsWith(Magic))
            throw new InvalidDataException($"'{name}' is no backup that this version of EdgeNode can read.");
        if (BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(16)) is < Iterations or > IterationsAtMost)
            throw new InvalidDataException($"'{name}' was altered: nothing was changed.");
        (byte[] key, byte[] check) = Derive(passphrase, header);
        if (!CryptographicOperations.FixedTimeEquals(check, header.AsSpan(HeaderBytes - CheckBytes)))
            throw new InvalidDataException($"The passphrase is wrong, or the beginning of '{name}' was altered: nothing was changed.");
        var stream = new EncryptedStream(file, name, header, key, writes: false);
        stream._nextLength = file.ReadAtLeast(stream._next, stream._next.Length, throwOnEndOfStream: false);
        return stream;
    }

    /// <summary>Writes the last chunk.</summary>
    internal void Finish() => WriteChunk(isLast: true);

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            // Only when more comes: the last chunk has a mark.
            if (_length == ChunkBytes)
                WriteChunk(isLast: false);
            int count = Math.Min(buffer.Length, ChunkBytes - _length);
            buffer[..count].CopyTo(_plain.AsSpan(_length));
            _length += count;
            buffer = buffer[count..];
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (_position == _length && !_isLast)
            ReadChunk();
        int count = Math.Min(buffer.Length, _length - _position);
        _plain.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _aes.Dispose();
            CryptographicOperations.ZeroMemory(_plain);
        }

        base.Dispose(disposing);
    }

    private static (byte[] Key, byte[] Check) Derive(string passphrase, ReadOnlySpan<byte> header)
    {
        int iterations = (int)BinaryPrimitives.ReadUInt32BigEndian(header[16..]);
        byte[] secret = Rfc2898DeriveBytes.Pbkdf2(passphrase, header.Slice(20, SaltBytes), iterations, HashAlgorithmName.SHA256, SealedBox.KeyBytes);
        byte[] key = HKDF.Expand(HashAlgorithmName.SHA256, secret, SealedBox.KeyBytes, "key"u8.ToArray());
        byte[] check = HKDF.Expand(HashAlgorithmName.SHA256, secret, CheckBytes, "check"u8.ToArray());
        CryptographicOperations.ZeroMemory(secret);
        return (key, check);
    }

    private void WriteChunk(bool isLast)
    {
        Span<byte> nonce = stackalloc byte[SealedBox.NonceBytes];
        Number(nonce, isLast);
        _aes.Encrypt(nonce, _plain.AsSpan(0, _length), _sealed.AsSpan(0, _length), _sealed.AsSpan(_length, SealedBox.TagBytes), _header);
        _file.Write(_sealed.AsSpan(0, _length + SealedBox.TagBytes));
        _length = 0;
    }

    private void ReadChunk()
    {
        _next.AsSpan(0, _nextLength).CopyTo(_sealed);
        int length = _nextLength - SealedBox.TagBytes;
        _nextLength = length == ChunkBytes ? _file.ReadAtLeast(_next, _next.Length, throwOnEndOfStream: false) : 0;
        _isLast = _nextLength == 0;
        _position = _length = 0;
        Span<byte> nonce = stackalloc byte[SealedBox.NonceBytes];
        Number(nonce, _isLast);
        try
        {
            if (length < 0)
                throw new CryptographicException();
            _aes.Decrypt(nonce, _sealed.AsSpan(0, length), _sealed.AsSpan(length, SealedBox.TagBytes), _plain.AsSpan(0, length), _header);
        }
        catch (CryptographicException)
        {
            throw new InvalidDataException($"'{_name}' was altered or cut off: nothing was changed; use another copy of it.");
        }

        _length = length;
    }

    private void Number(Span<byte> nonce, bool isLast)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt64BigEndian(nonce[3..], _chunk++);
        nonce[11] = isLast ? (byte)1 : (byte)0;
    }
}
