using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;

namespace EdgeNode.Faces;

/// <summary>
/// One model in ONNX Runtime on the CPU: one thread, no spinning, tensors bound once, so that a run allocates nothing.
/// One float tensor in, float tensors out. Not for two threads at a time.
/// </summary>
public sealed class OnnxModel : IDisposable
{
    private static readonly Lock s_environment = new();

    private readonly InferenceSession _session;
    private readonly RunOptions _runOptions = new();
    private readonly List<OrtValue> _values = [];
    private readonly string _path;
    private OrtIoBinding? _binding;
    private float[] _input = [];
    private float[][] _outputs = [];
    private long _runs;
    private long _insideTicks;
    private long _totalTicks;
    private long _began;

    private OnnxModel(InferenceSession session, string path)
    {
        _session = session;
        _path = path;
    }

    /// <summary>The input tensor, row by row; written before <see cref="Run"/>.</summary>
    public Span<float> Input => _input;

    /// <summary>What the stage has cost so far; may be read from any thread.</summary>
    public StageTime Time => StageTime.FromTicks(Interlocked.Read(ref _runs), Interlocked.Read(ref _totalTicks), Interlocked.Read(ref _insideTicks));

    /// <summary>Opens a model of the pack; the family then says with <see cref="Bind"/> which shapes it needs.</summary>
    /// <exception cref="ModelPackException">The file is no readable model, or ONNX Runtime itself cannot be loaded.</exception>
    public static OnnxModel Open(ModelPack pack, ModelDescription description)
    {
        string path = Path.Combine(pack.Folder, description.File);
        try
        {
            Quieten();
            using SessionOptions options = new()
            {
                IntraOpNumThreads = 1,
                InterOpNumThreads = 1,
                ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
                EnableMemoryPattern = true,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            };
            // Spinning threads would burn most of a core between the few inferences a second (field notes §8).
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            options.AddSessionConfigEntry("session.inter_op.allow_spinning", "0");
            // Weights live outside the arena, which would round their sizes up.
            options.AddSessionConfigEntry("session.use_device_allocator_for_initializers", "1");
            options.AddSessionConfigEntry("session.set_denormal_as_zero", "1");
            return new OnnxModel(new InferenceSession(path, options), path);
        }
        catch (OnnxRuntimeException)
        {
            throw new ModelPackException($"The model {path} is not a readable ONNX model: fetch the pack again.");
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException)
        {
            throw new ModelPackException("ONNX Runtime cannot be loaded: put the libonnxruntime.so that came with EdgeNode beside its executable.");
        }
    }

    /// <summary>
    /// The fixed shape of an output: batch dimensions that the model leaves open count as 1. Null without an output of that
    /// name (a null name is the only output), of that type, or with open dimensions.
    /// </summary>
    public int[]? OutputShape(string? name)
    {
        if (name is null && _session.OutputNames.Count == 1)
            name = _session.OutputNames[0];
        if (name is null || !_session.OutputMetadata.TryGetValue(name, out NodeMetadata? metadata) || !IsFloatTensor(metadata))
            return null;
        int[] shape = [.. metadata.Dimensions];
        if (shape.Length > 0 && shape[0] < 0)
            shape[0] = 1;
        return Array.Exists(shape, static d => d <= 0) ? null : shape;
    }

    /// <summary>Allocates the tensors and binds them for good. <paramref name="outputs"/>: names, null for the only output.</summary>
    /// <exception cref="ModelPackException">The model's tensors are others.</exception>
    public void Bind(ReadOnlySpan<int> inputShape, params ReadOnlySpan<string?> outputs)
    {
        if (_session.InputNames.Count != 1)
            throw WrongShape($"one input of {Text(inputShape)}");
        string input = _session.InputNames[0];
        NodeMetadata metadata = _session.InputMetadata[input];
        int[] actual = metadata.Dimensions;
        bool fits = IsFloatTensor(metadata) && actual.Length == inputShape.Length;
        for (int i = 0; fits && i < actual.Length; i++)
            fits = actual[i] < 0 || actual[i] == inputShape[i];
        if (!fits)
            throw WrongShape($"an input of {Text(inputShape)} floats, but it has {Text(actual)}");

        _binding = _session.CreateIoBinding();
        (_input, OrtValue value) = Allocate(inputShape);
        _binding.BindInput(input, value);
        _outputs = new float[outputs.Length][];
        for (int i = 0; i < outputs.Length; i++)
        {
            string name = outputs[i] ?? _session.OutputNames[0];
            int[] shape = OutputShape(name) ?? throw WrongShape($"an output {name} of fixed shape");
            (_outputs[i], value) = Allocate(shape);
            _binding.BindOutput(name, value);
        }
    }

    /// <summary>The sentence for a model whose tensors are not as its family has them.</summary>
    public ModelPackException WrongShape(string needs) =>
        new($"The model {_path} does not fit its entry in {ModelPack.FileName}, which needs {needs}: correct family, width and height there, or replace the model.");

    /// <summary>Starts the clock of the stage; <see cref="EndStage"/> stops it.</summary>
    public void BeginStage() => _began = Stopwatch.GetTimestamp();

    /// <summary>Runs the model on <see cref="Input"/>.</summary>
    public void Run()
    {
        long before = Stopwatch.GetTimestamp();
        _session.RunWithBinding(_runOptions, _binding);
        Interlocked.Add(ref _insideTicks, Stopwatch.GetTimestamp() - before);
        Interlocked.Increment(ref _runs);
    }

    /// <summary>Stops the clock that <see cref="BeginStage"/> started.</summary>
    public void EndStage() => Interlocked.Add(ref _totalTicks, Stopwatch.GetTimestamp() - _began);

    /// <summary>The bound output number <paramref name="index"/> of the last run.</summary>
    public ReadOnlySpan<float> Output(int index) => _outputs[index];

    /// <inheritdoc/>
    public void Dispose()
    {
        _binding?.Dispose();
        foreach (OrtValue value in _values)
            value.Dispose();
        _runOptions.Dispose();
        _session.Dispose();
    }

    /// <summary>The runtime writes warnings about odd processors to standard error unless its environment is made so.</summary>
    private static void Quieten()
    {
        lock (s_environment)
        {
            if (OrtEnv.IsCreated)
                return;
            EnvironmentCreationOptions options = new() { logId = "edgenode", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
            OrtEnv.CreateInstanceWithOptions(ref options);
        }
    }

    private static bool IsFloatTensor(NodeMetadata metadata) =>
        metadata.OnnxValueType == OnnxValueType.ONNX_TYPE_TENSOR && metadata.ElementType == typeof(float);

    private static string Text(ReadOnlySpan<int> shape)
    {
        string[] parts = new string[shape.Length];
        for (int i = 0; i < parts.Length; i++)
            parts[i] = shape[i] < 0 ? "?" : shape[i].ToString();
        return string.Join('×', parts);
    }

    private (float[] Array, OrtValue Value) Allocate(ReadOnlySpan<int> shape)
    {
        long[] dimensions = new long[shape.Length];
        int length = 1;
        for (int i = 0; i < shape.Length; i++)
        {
            dimensions[i] = shape[i];
            length = checked(length * shape[i]);
        }
        float[] array = GC.AllocateArray<float>(length, pinned: true);
        OrtValue value = OrtValue.CreateTensorValueFromMemory(array, dimensions);
        _values.Add(value);
        return (array, value);
    }
}
