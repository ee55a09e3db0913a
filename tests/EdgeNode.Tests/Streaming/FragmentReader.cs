using System.Buffers.Binary;

namespace EdgeNode.Tests.Streaming;

/// <summary>Reads moof and mdat pairs back.</summary>
internal static class FragmentReader
{
    public static List<Fragment> Read(ReadOnlySpan<byte> bytes)
    {
        var fragments = new List<Fragment>();
        while (bytes.Length > 0)
        {
            int moofSize = (int)BinaryPrimitives.ReadUInt32BigEndian(bytes);
            Assert.True(bytes.Slice(4, 4).SequenceEqual("moof"u8));
            ReadOnlySpan<byte> moof = bytes[..moofSize];
            int tfdt = moof.IndexOf("tfdt"u8);
            int trun = moof.IndexOf("trun"u8);
            long decodeTime = (long)BinaryPrimitives.ReadUInt64BigEndian(moof[(tfdt + 8)..]);
            int count = (int)BinaryPrimitives.ReadUInt32BigEndian(moof[(trun + 8)..]);
            int dataOffset = BinaryPrimitives.ReadInt32BigEndian(moof[(trun + 12)..]);
            Assert.Equal(moofSize + 8, dataOffset);
            var samples = new List<FragmentSample>();
            int position = dataOffset;
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> entry = moof.Slice(trun + 16 + 16 * i, 16);
                int size = (int)BinaryPrimitives.ReadUInt32BigEndian(entry[4..]);
                samples.Add(new FragmentSample(
                    BinaryPrimitives.ReadUInt32BigEndian(entry),
                    (BinaryPrimitives.ReadUInt32BigEndian(entry[8..]) & 0x10000) == 0,
                    BinaryPrimitives.ReadInt32BigEndian(entry[12..]),
                    bytes.Slice(position, size).ToArray()));
                position += size;
            }

            int mdatSize = (int)BinaryPrimitives.ReadUInt32BigEndian(bytes[moofSize..]);
            Assert.True(bytes.Slice(moofSize + 4, 4).SequenceEqual("mdat"u8));
            Assert.Equal(position, moofSize + mdatSize);
            fragments.Add(new Fragment(decodeTime, samples));
            bytes = bytes[position..];
        }

        return fragments;
    }
}

internal sealed record Fragment(long DecodeTime, List<FragmentSample> Samples)
{
    public long End => DecodeTime + Samples.Sum(sample => (long)sample.Duration);
}

internal sealed record FragmentSample(uint Duration, bool IsSync, int CompositionOffset, byte[] Bytes);
