namespace EdgeNode.Streaming;

/// <summary>The multivariant playlist of a camera (RFC 8216bis §4.4.6): one variant, and its sound where there is any: what a player must know before it opens the media playlist.</summary>
public static class MultivariantPlaylist
{
    /// <summary>URI of the media playlist, relative to this one.</summary>
    public const string MediaUri = "media.m3u8";

    /// <summary>URI of the sound's media playlist.</summary>
    public const string AudioUri = "audio.m3u8";

    // Rates are measured over little; the peak to come may be a little higher.
    private const double Margin = 1.1;

    /// <summary>Writes it from what was measured; the window must have a segment. Sound is named where there is a window of it.</summary>
    public static byte[] Write(MediaWindow window, MediaWindow? audioWindow = null)
    {
        Segment segment = window.Segments[0];
        double average = window.AverageBitsPerSecond;
        double peak = Math.Max(window.PeakBitsPerSecond, average) * Margin;
        Ingest.VideoFormat format = (window.Current ?? segment).Initialization.Format!;
        Ingest.AudioFormat? audio = audioWindow?.Current?.Initialization.Audio;
        if (audio is not null)
        {
            average += audioWindow!.AverageBitsPerSecond;
            peak += Math.Max(audioWindow.PeakBitsPerSecond, audioWindow.AverageBitsPerSecond) * Margin;
        }

        var w = new PlaylistWriter(512);
        w.Text("#EXTM3U\n#EXT-X-VERSION:9\n"u8);
        if (audio is not null)
        {
            w.Text("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"Sound\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\""u8);
            w.Number(audio.Channels);
            w.Text("\",URI=\"audio.m3u8\"\n"u8);
        }

        w.Text("#EXT-X-STREAM-INF:BANDWIDTH="u8);
        w.Number(Math.Max(1, (long)Math.Ceiling(peak)));
        w.Text(",AVERAGE-BANDWIDTH="u8);
        w.Number(Math.Max(1, (long)Math.Ceiling(average)));
        w.Text(",CODECS=\""u8);
        w.Ascii(format.CodecString);
        if (audio is not null)
        {
            w.Text(","u8);
            w.Ascii(audio.CodecString);
        }

        w.Text("\",RESOLUTION="u8);
        w.Number(format.Width);
        w.Text("x"u8);
        w.Number(format.Height);
        w.Text(",FRAME-RATE="u8);
        w.Decimal(window.Cadence.FrameRate, "F3");
        if (audio is not null)
            w.Text(",AUDIO=\"sound\""u8);
        w.Text("\nmedia.m3u8\n"u8);
        return w.Finish();
    }
}
