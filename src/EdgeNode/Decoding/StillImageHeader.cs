using System.Buffers.Binary;

namespace EdgeNode.Decoding;

/// <summary>What a photo file says of itself before it is decoded: PNG's IHDR (RFC 2083 §4.1.1), or JPEG's frame header (ITU-T T.81 §B.2.2) and EXIF orientation.</summary>
internal readonly record struct StillImageHeader(bool IsPng, int Width, int Height, int Orientation)
{
    private const int Upright = 1;

    private static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    private static ReadOnlySpan<byte> JpegSignature => [0xFF, 0xD8, 0xFF];

    /// <summary>Reads the header; false when the file is neither PNG nor JPEG, or ends too early.</summary>
    public static bool TryRead(ReadOnlySpan<byte> file, out StillImageHeader header)
    {
        header = default;
        if (file.StartsWith(PngSignature))
            return TryReadPng(file[PngSignature.Length..], out header);
        return file.StartsWith(JpegSignature) && TryReadJpeg(file, out header);
    }

    private static bool TryReadPng(ReadOnlySpan<byte> chunks, out StillImageHeader header)
    {
        header = default;
        if (chunks.Length < 16 || !chunks[4..].StartsWith("IHDR"u8))
            return false;
        int width = BinaryPrimitives.ReadInt32BigEndian(chunks[8..]);
        int height = BinaryPrimitives.ReadInt32BigEndian(chunks[12..]);
        header = new StillImageHeader(true, width, height, Upright);
        return width > 0 && height > 0;
    }

    private static bool TryReadJpeg(ReadOnlySpan<byte> file, out StillImageHeader header)
    {
        const byte StartOfScan = 0xDA;
        const byte App1 = 0xE1;

        header = default;
        int orientation = Upright;
        ReadOnlySpan<byte> rest = file[2..];
        while (rest.Length >= 4 && rest[0] == 0xFF)
        {
            byte marker = rest[1];
            if (marker == 0xFF) // fill byte
            {
                rest = rest[1..];
                continue;
            }

            int length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            if (marker == StartOfScan || length < 2 || rest.Length < 2 + length)
                return false;
            ReadOnlySpan<byte> segment = rest.Slice(4, length - 2);
            if (marker == App1)
                orientation = ReadOrientation(segment) ?? orientation;

            // SOF0 to SOF15, but for DHT, JPG and DAC, which lie among them.
            if (marker is >= 0xC0 and <= 0xCF and not 0xC4 and not 0xC8 and not 0xCC)
            {
                if (segment.Length < 6)
                    return false;
                int height = BinaryPrimitives.ReadUInt16BigEndian(segment[1..]);
                int width = BinaryPrimitives.ReadUInt16BigEndian(segment[3..]);
                header = new StillImageHeader(false, width, height, orientation);
                return width > 0 && height > 0;
            }

            rest = rest[(2 + length)..];
        }

        return false;
    }

    // EXIF 2.32 §4.5 and §4.6.4: a TIFF header, then IFD 0 with entries of 12 bytes: tag, type, count, value.
    private static int? ReadOrientation(ReadOnlySpan<byte> segment)
    {
        const int OrientationTag = 0x0112;
        const int TiffHeaderLength = 8;
        const int EntryLength = 12;

        if (!segment.StartsWith("Exif\0\0"u8))
            return null;
        ReadOnlySpan<byte> tiff = segment[6..];
        if (tiff.Length < TiffHeaderLength)
            return null;
        bool little = tiff[0] == 'I';
        uint directory = little ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (directory > tiff.Length - 2)
            return null;
        ReadOnlySpan<byte> entries = tiff[(int)directory..];
        int count = Read16(entries, little);
        entries = entries[2..];
        for (; count > 0 && entries.Length >= EntryLength; count--, entries = entries[EntryLength..])
        {
            if (Read16(entries, little) == OrientationTag && Read16(entries[8..], little) is >= 1 and <= 8 and int orientation)
                return orientation;
        }

        return null;
    }

    private static int Read16(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);
}
