namespace EdgeNode.Benchmarks;

/// <summary>A benchmark that cannot be run, with the sentence that says why.</summary>
internal sealed class BenchmarkException(string message) : Exception(message);
