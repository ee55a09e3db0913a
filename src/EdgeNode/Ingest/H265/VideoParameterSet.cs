namespace EdgeNode.Ingest.H265;

/// <summary>What the node needs of a video parameter set (ITU-T H.265 §7.3.2.1): that it is one, and its id.</summary>
internal static class VideoParameterSet
{
    /// <summary>vps_video_parameter_set_id, 0 to 15, of a VPS NAL unit without start code or length.</summary>
    /// <exception cref="InvalidDataException">It is no VPS, or too short to be one.</exception>
    public static int IdOf(ReadOnlySpan<byte> unit)
    {
        // Id, two flags, layers, sub-layers, a flag, 16 ones; then profile_tier_level: 4 bytes before it and 12 of it.
        const int Shortest = NalUnitHeader.Length + 4 + 12;
        if (unit.Length < Shortest || NalUnitHeader.TypeOf(unit[0]) != NalUnitType.Vps)
            throw new InvalidDataException("The H.265 video parameter set is missing or ends too early.");
        return unit[NalUnitHeader.Length] >> 4;
    }
}
