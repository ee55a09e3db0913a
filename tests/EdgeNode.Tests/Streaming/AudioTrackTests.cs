using System.Text;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Aac;
using EdgeNode.Native.Memory;
using EdgeNode.Streaming;

namespace EdgeNode.Tests.Streaming;

/// <summary>Sound beside the pictures: legal, in step, gapless and decodable, whatever of it the camera sends.</summary>
public sealed class AudioTrackTests
{
    // AAC LC: 16 kHz mono, 48 kHz stereo.
    private static readonly byte[] Mono16 = [0x14, 0x08];
    private static readonly byte[] Stereo48 = [0x11, 0x90];

    [Theory]
    [InlineData(16000)]
    [InlineData(48000)]
    [InlineData(8000)]
    [InlineData(44100)]
    public void Sound_is_cut_where_the_pictures_are(int rate)
    {
        using var run = new Run(rate, _ => true);
        MediaWindow sound = run.Packager.AudioWindow!;
        Assert.Equal(run.Packager.Window.Segments[1].Sequence, sound.Find(run.Packager.Window.Segments[1].Sequence)!.Sequence);
        foreach (Segment segment in sound.Segments.SkipLast(1))
        {
            Segment pictures = run.Packager.Window.Find(segment.Sequence)!;
            Assert.InRange(segment.DecodeTime - pictures.DecodeTime, -90_000 * 1024 / rate, 90_000 * 1024 / rate);
            double off = (segment.ProgramDateTime - pictures.ProgramDateTime).TotalSeconds - (segment.DecodeTime - pictures.DecodeTime) / 90_000.0;
            Assert.InRange(off, -0.002, 0.002);
            Assert.True(pictures.IsDiscontinuity == segment.IsDiscontinuity);
        }

        Assert.True(run.Rules.States > 20);
        Assert.Contains("#EXT-X-RENDITION-REPORT:URI=\"media.m3u8\",LAST-MSN=", run.Text, StringComparison.Ordinal);
        Assert.InRange(run.Packager.Window.Current!.DecodeTime - sound.Current!.DecodeTime, -90_000, 200_000);
    }

    [Fact]
    public void Sound_that_comes_now_and_then_is_silence_between()
    {
        using var run = new Run(16000, at => at / 90_000 % 7 < 2);
        Assert.True(run.Silent > 50 && run.Sounding > 50, $"{run.Silent} silent, {run.Sounding} others");
        // The sound stays near the pictures.
        Segment current = run.Packager.AudioWindow!.Current!;
        Assert.InRange(current.Sequence, run.Packager.Window.Current!.Sequence - 1, run.Packager.Window.Current!.Sequence);
    }

    [Fact]
    public void Sound_that_was_known_and_does_not_come_is_silence()
    {
        using var run = new Run(16000, _ => false, AudioSpecificConfig.ToFormat(Mono16));
        Assert.True(run.Silent > 100 && run.Sounding == 0);
    }

    [Theory]
    [InlineData(48000, 16000)]
    [InlineData(16000, 48000)]
    public void Another_kind_of_sound_begins_where_the_pictures_begin_anew(int rate, int later)
    {
        using var run = new Run(rate, _ => true, laterRate: later);
        MediaWindow sound = run.Packager.AudioWindow!;
        Assert.Equal(later, sound.Current!.Initialization.Audio!.SampleRate);
        Assert.Equal(run.Packager.Window.DiscontinuitySequence, sound.DiscontinuitySequence);
        Assert.Equal(1, sound.DiscontinuitySequence);
        Assert.InRange(sound.Current.Sequence, run.Packager.Window.Current!.Sequence - 1, run.Packager.Window.Current.Sequence);
        Assert.InRange(run.Silent, 0, 200);
    }

    [Theory]
    [InlineData(1, "mono")]
    [InlineData(2, "stereo")]
    public void Silence_is_decoded_as_silence(int channels, string layout)
    {
        byte[] frame = AacSilence.Frame(channels);
        var adts = new List<byte>();
        for (int i = 0; i < 20; i++)
        {
            int length = frame.Length + 7;
            // ADTS, ISO/IEC 14496-3 §1.A.2.2: LC, 48 kHz.
            adts.AddRange([0xFF, 0xF1, (byte)(0x4C | channels >> 2), (byte)((channels & 3) << 6 | length >> 11), (byte)(length >> 3), (byte)((length & 7) << 5 | 0x1F), 0xFC, .. frame]);
        }

        string path = Path.Combine(Path.GetTempPath(), $"edgenode-silence-{Guid.NewGuid():N}.aac");
        File.WriteAllBytes(path, [.. adts]);
        try
        {
            string frames = Tool.Run("ffprobe", "-v", "error", "-f", "aac", "-count_frames", "-show_entries", "stream=channel_layout,nb_read_frames", "-of", "csv=p=0", path);
            Assert.StartsWith($"{layout},20", frames.Trim(), StringComparison.Ordinal);
            string loudest = Tool.Run("ffprobe", "-v", "error", "-f", "lavfi", "-i", $"amovie={path},astats=metadata=1:reset=0", "-show_entries", "frame_tags=lavfi.astats.Overall.Max_level", "-of", "csv=p=0");
            Assert.All(loudest.Split('\n', StringSplitOptions.RemoveEmptyEntries), level => Assert.Equal(0, double.Parse(level, System.Globalization.CultureInfo.InvariantCulture)));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void The_multivariant_playlist_names_the_sound()
    {
        using var run = new Run(48000, _ => true);
        string text = Encoding.UTF8.GetString(MultivariantPlaylist.Write(run.Packager.Window, run.Packager.AudioWindow));
        Assert.Contains("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"Sound\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"audio.m3u8\"\n", text, StringComparison.Ordinal);
        Assert.Contains(",mp4a.40.2\",RESOLUTION=", text, StringComparison.Ordinal);
        Assert.Contains(",AUDIO=\"sound\"\nmedia.m3u8\n", text, StringComparison.Ordinal);
    }

    /// <summary>A minute of a camera with sound where the condition says so, every state of both playlists held against the rules.</summary>
    private sealed class Run : IDisposable
    {
        private readonly MediaPlaylist _pictures;
        private AudioFormat _format;
        private readonly HashSet<Part> _seen = [];
        private MediaPlaylist? _sound;
        private long? _end;
        private int _timescale;

        public Run(int rate, Func<long, bool> sounds, AudioFormat? known = null, int laterRate = 0)
        {
            _format = FormatOf(rate);
            Packager = new Packager(new PackagingOptions(), TimeSpan.FromSeconds(2), PackagingOrigin.First, known);
            _pictures = new MediaPlaylist(Packager.Window, MediaTrack.Video, () => Packager.AudioWindow);
            TestClip clip = TestClip.Make("25", 50);
            VideoFormat format = clip.NewFormat();
            long frame = 0;
            int number = 0;
            foreach ((TestClip.Sample sample, long shift) in clip.Loop().Take(1500))
            {
                bool changes = laterRate > 0 && number++ == 700;
                if (changes)
                {
                    frame = frame * laterRate / rate;
                    rate = laterRate;
                    _format = FormatOf(rate);
                }

                for (; frame * 1024 * 90_000 / rate < sample.Dts + shift + 9000; frame++)
                {
                    long at = frame * 1024 * 90_000 / rate;
                    if (sounds(at))
                        Push(at);
                }

                AccessUnit unit = TestClip.Unit(sample, format, shift, changes ? AccessUnitFlags.StartsTimeline : AccessUnitFlags.None);
                Packager.OnAccessUnit(unit);
                unit.Release();
                Observe();
            }
        }

        public Packager Packager { get; }

        public PlaylistRules Rules { get; } = new("a-");

        public PlaylistRules PictureRules { get; } = new();

        public int Silent { get; private set; }

        public int Sounding { get; private set; }

        public string Text => Encoding.UTF8.GetString(_sound!.Full().Bytes.Span);

        public void Dispose() => Packager.Dispose();

        private static AudioFormat FormatOf(int rate) =>
            AudioSpecificConfig.ToFormat(rate switch { 16000 => Mono16, 48000 => Stereo48, 8000 => [0x15, 0x88], _ => [0x12, 0x08] });

        private void Push(long at)
        {
            byte[] bytes = new byte[40];
            PacketMemory memory = PacketMemory.Rent(bytes.Length);
            bytes.CopyTo(memory.Span);
            AccessUnit unit = AccessUnit.CreateAudio(memory, bytes.Length, _format, new AccessUnitTiming(at, at, TestClip.Epoch.AddSeconds(at / 90_000.0)));
            Packager.OnAudio(unit);
            unit.Release();
            Observe();
        }

        private void Observe()
        {
            if (Packager.Window.CompleteCount > 0)
                PictureRules.ObserveIfNew(Encoding.UTF8.GetString(_pictures.Full().Bytes.Span));
            if (Packager.AudioWindow is not { } window)
                return;
            foreach (Part part in window.Segments.SelectMany(segment => segment.Parts).Where(_seen.Add))
            {
                var writer = new System.Buffers.ArrayBufferWriter<byte>();
                using (MediaBody body = MediaBody.TryHold([part])!)
                    body.WriteTo(writer);
                Fragment fragment = Assert.Single(FragmentReader.Read(writer.WrittenSpan));
                int timescale = window.Find(part.MediaSequence)!.Initialization.Audio!.SampleRate;
                if (timescale == _timescale)
                    Assert.Equal(_end, fragment.DecodeTime);
                else if (_end is { } end)
                    Assert.InRange((double)fragment.DecodeTime / timescale - (double)end / _timescale, -0.001, 0.001);
                _end = fragment.End;
                _timescale = timescale;
                Silent += fragment.Samples.Count(sample => sample.Bytes.Length != 40);
                Sounding += fragment.Samples.Count(sample => sample.Bytes.Length == 40);
            }

            _sound ??= new MediaPlaylist(window, MediaTrack.Audio, () => Packager.Window);
            if (window.CompleteCount > 0)
                Rules.ObserveIfNew(Text);
        }
    }
}
