using System.Buffers;
using System.Text;
using EdgeNode.Ingest;
using EdgeNode.Streaming;

namespace EdgeNode.Tests.Streaming;

/// <summary>Feeds a packager, walks every state of its playlist through <see cref="PlaylistRules"/> and keeps all media.</summary>
internal sealed class PackagerRecorder : IDisposable
{
    private readonly MediaPlaylist _playlist;
    private readonly Dictionary<long, List<byte[]>> _media = [];
    private long _version = -1;
    private long? _end;

    public PackagerRecorder(PackagingOptions? options = null, TimeSpan longestGop = default, PackagingOrigin? origin = null)
    {
        Packager = new Packager(options ?? new PackagingOptions(), longestGop, origin ?? PackagingOrigin.First);
        _playlist = new MediaPlaylist(Packager.Window);
    }

    public Packager Packager { get; }

    public PlaylistRules Rules { get; } = new();

    public List<Fragment> Fragments { get; } = [];

    /// <summary>Every part ever made, in order.</summary>
    public List<(long Sequence, int Index, bool IsIndependent, int Initialization)> Parts { get; } = [];

    public Dictionary<int, byte[]> Initializations { get; } = [];

    public string Text => Encoding.UTF8.GetString(_playlist.Full().Bytes.Span);

    public string Delta => Encoding.UTF8.GetString(_playlist.Delta().Bytes.Span);

    /// <summary>Hands over the unit and lets go of it.</summary>
    public void Push(AccessUnit unit)
    {
        Packager.OnAccessUnit(unit);
        unit.Release();
        Collect();
    }

    public void Push(TestClip clip, VideoFormat format, int count, int skip = 0)
    {
        foreach ((TestClip.Sample sample, long shift) in clip.Loop().Skip(skip).Take(count))
            Push(TestClip.Unit(sample, format, shift));
    }

    /// <summary>Initialization section and complete segments of one version, one behind the other.</summary>
    public byte[] Stream(int version, bool completeOnly = true)
    {
        var stream = new MemoryStream();
        stream.Write(Initializations[version]);
        foreach ((long sequence, List<byte[]> parts) in _media.OrderBy(pair => pair.Key))
        {
            if (completeOnly && sequence >= Packager.Window.Current!.Sequence)
                continue;
            if (!Parts.Any(part => part.Sequence == sequence && part.Initialization == version))
                continue;
            foreach (byte[] part in parts)
                stream.Write(part);
        }

        return stream.ToArray();
    }

    public void Dispose() => Packager.Dispose();

    private void Collect()
    {
        if (Packager.Window.Version == _version)
            return;
        _version = Packager.Window.Version;
        foreach (Segment segment in Packager.Window.Segments)
        {
            Initializations[segment.Initialization.Version] = segment.Initialization.Bytes.ToArray();
            if (!_media.TryGetValue(segment.Sequence, out List<byte[]>? known))
                _media[segment.Sequence] = known = [];
            foreach (Part part in segment.Parts.Skip(known.Count))
            {
                var writer = new ArrayBufferWriter<byte>();
                using (MediaBody body = MediaBody.TryHold([part])!)
                    body.WriteTo(writer);
                Assert.Equal(part.TotalBytes, writer.WrittenCount);
                known.Add(writer.WrittenSpan.ToArray());
                Fragment fragment = Assert.Single(FragmentReader.Read(writer.WrittenSpan));
                Assert.Equal(_end ?? fragment.DecodeTime, fragment.DecodeTime);
                Assert.All(fragment.Samples, sample => Assert.True(sample.Duration > 0));
                Assert.Equal(part.DurationTicks, fragment.End - fragment.DecodeTime);
                Assert.Equal(part.IsIndependent, fragment.Samples[0].IsSync);
                _end = fragment.End;
                Fragments.Add(fragment);
                Parts.Add((part.MediaSequence, part.Index, part.IsIndependent, segment.Initialization.Version));
            }
        }

        if (Packager.Window.CompleteCount > 0)
            Rules.Observe(Text);
    }
}
