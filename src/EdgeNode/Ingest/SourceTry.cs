namespace EdgeNode.Ingest;

/// <summary>One try at a source.</summary>
/// <param name="SilentStarts">How often in a row before it the source was reached but gave nothing in time: it gets more of it.</param>
/// <param name="Remark">Takes, from the reading thread, one sentence on why no pictures come although the source is alive.</param>
public readonly record struct SourceTry(int SilentStarts, Action<string> Remark);
