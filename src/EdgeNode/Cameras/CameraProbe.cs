using EdgeNode.Configuration;
using EdgeNode.Decoding;
using EdgeNode.Ingest;

namespace EdgeNode.Cameras;

/// <summary>What a camera gave when it was tried. What is not known is null.</summary>
public sealed record CameraProbeResult
{
    /// <summary>Pictures came.</summary>
    public required bool Works { get; init; }

    /// <summary>What is wrong, or would be better otherwise: sentences for the user.</summary>
    public required IReadOnlyList<string> Remarks { get; init; }

    /// <summary>Parameters of the pictures.</summary>
    public VideoFormat? Video { get; init; }

    /// <summary>Pictures a second.</summary>
    public double? Fps { get; init; }

    /// <summary>Seconds from one keyframe to the next.</summary>
    public double? KeyframeInterval { get; init; }

    /// <summary>Parameters of the audio.</summary>
    public AudioFormat? Audio { get; init; }

    /// <summary>The first picture, a JPEG.</summary>
    public byte[]? Picture { get; init; }
}

/// <summary>Tries a camera once: connects, takes pictures until a second keyframe, and tells what came. Bounded in time.</summary>
public static class CameraProbe
{
    /// <summary>What a try takes at most.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private const double LongKeyframeInterval = 4.5;

    /// <summary>Tries <paramref name="camera"/>; blocks until it has been judged, ten seconds at most.</summary>
    public static CameraProbeResult Run(CameraConfiguration camera, TimeProvider time, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, late.Token);
        var seen = new Seen();
        string? trouble = null;
        try
        {
            using IVideoSource source = CameraSources.Open(camera, time);
            using CancellationTokenRegistration abort = either.Token.Register(source.Abort);
            source.Open();
            while (!either.IsCancellationRequested && !seen.IsEnough && source.Read() is AccessUnit unit)
            {
                try
                {
                    seen.Take(unit);
                }
                finally
                {
                    unit.Release();
                }
            }
        }
        catch (SourceException fault)
        {
            trouble = fault.Message;
        }

        if (seen.Pictures > 0)
            trouble = null;
        else if (late.IsCancellationRequested)
            trouble = $"No picture came within {Deadline.TotalSeconds:0} seconds: is the address right, and does the camera answer?";
        return seen.Describe(trouble);
    }

    private sealed class Seen
    {
        private readonly List<string> _remarks = [];
        private long? _firstDts;
        private long _lastDts;
        private long? _firstKeyDts;
        private long? _secondKeyDts;
        private VideoFormat? _video;
        private AudioFormat? _audio;
        private byte[]? _picture;

        public int Pictures { get; private set; }

        public bool IsEnough => _secondKeyDts is not null;

        public void Take(AccessUnit unit)
        {
            if (unit.Audio is { } audio)
            {
                _audio = audio;
                return;
            }

            Pictures++;
            _video = unit.Format;
            _firstDts ??= unit.Dts;
            _lastDts = unit.Dts;
            if (!unit.IsKey)
                return;
            if (_firstKeyDts is null)
            {
                _firstKeyDts = unit.Dts;
                Show(unit);
            }
            else
            {
                _secondKeyDts = unit.Dts;
            }
        }

        public CameraProbeResult Describe(string? trouble)
        {
            double? interval = _secondKeyDts is { } second && _firstKeyDts is { } first ? Seconds(second - first) : null;
            if (trouble is not null)
                _remarks.Add(trouble);
            else if (_firstKeyDts is null)
                _remarks.Add("Pictures come, but no keyframe: set the camera's keyframe interval (GOP) to 2 seconds or less.");
            else if (interval is null or > LongKeyframeInterval)
                _remarks.Add($"Keyframes are {(interval is { } s ? $"{s:0.#} seconds" : "more than a few seconds")} apart: set the camera's keyframe interval (GOP) to 2 seconds or less, and viewers see a picture sooner.");
            return new CameraProbeResult
            {
                Works = trouble is null && _firstKeyDts is not null,
                Remarks = _remarks,
                Video = _video,
                Fps = Pictures > 1 && _firstDts is { } start && _lastDts > start ? Math.Round((Pictures - 1) / Seconds(_lastDts - start), 2) : null,
                KeyframeInterval = interval is { } value ? Math.Round(value, 2) : null,
                Audio = _audio,
                Picture = _picture,
            };
        }

        private void Show(AccessUnit key)
        {
            try
            {
                _picture = KeyframeSnapshot.Decode(key);
            }
            catch (DecodeException fault)
            {
                _remarks.Add($"The pictures can be streamed, but not be looked at by the node: {fault.Message}");
            }
        }

        private static double Seconds(long ticks) => (double)ticks / AccessUnit.TicksPerSecond;
    }
}
