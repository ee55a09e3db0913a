namespace EdgeNode.Storage;

/// <summary>A part of what is kept, with a limit of its own beside those that hold for all.</summary>
/// <param name="What">What is deleted.</param>
/// <param name="Age">Age at which it goes.</param>
/// <param name="AtMost">Rows that are kept at most.</param>
public sealed record RetainedPart(IRetained What, TimeSpan Age, int AtMost = int.MaxValue);
