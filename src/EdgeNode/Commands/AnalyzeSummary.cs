namespace EdgeNode.Commands;

/// <summary>The last line of <c>edgenode analyze --json</c> (contract §1).</summary>
internal sealed record AnalyzeReport(AnalyzeSummary Summary);

/// <summary>What an analysis did and cost.</summary>
internal sealed record AnalyzeSummary(long Frames, long FramesAnalyzed, long Faces, int Tracks, int Events, double WallS, double CpuS, AnalyzeStages Ms, double RuntimeS);

/// <summary>Mean milliseconds for one run of each stage.</summary>
internal sealed record AnalyzeStages(double Decode, double Detect, double Landmarks, double Embed);
