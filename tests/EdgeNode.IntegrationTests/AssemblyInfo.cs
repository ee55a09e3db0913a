// Each test runs whole processes: side by side they would only starve each other on a small machine.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
