using EdgeNode.Benchmarks;

// usage: EdgeNode.Benchmarks [--seconds N] [--cameras N,N,…] [--only packaging|ingest|analyze]   (build/bench sets the rest up)
try
{
    BenchmarkSettings settings = BenchmarkSettings.Parse(args);
    Console.WriteLine(Machine.Describe());
    if (settings.Packaging)
        await PackagingBenchmark.RunAsync(settings);
    if (settings.Ingest)
        await IngestBenchmark.RunAsync(settings);
    if (settings.Analyze)
        await AnalyzeBenchmark.RunAsync(settings);
    return 0;
}
catch (BenchmarkException problem)
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}
