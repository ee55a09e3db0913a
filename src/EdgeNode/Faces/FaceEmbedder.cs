namespace EdgeNode.Faces;

/// <summary>Turns an aligned face into a vector of length 1; two faces are compared by the dot product. Not for two threads at a time.</summary>
public sealed class FaceEmbedder : IDisposable
{
    private readonly OnnxModel _model;

    /// <summary>Opens the embedding model of the pack.</summary>
    /// <exception cref="ModelPackException">The model cannot be used.</exception>
    public FaceEmbedder(ModelPack pack, ModelDescription description)
    {
        _model = OnnxModel.Open(pack, description);
        try
        {
            if (description.Width != description.Height)
                throw _model.WrongShape("a square input for family arcface");
            if (_model.OutputShape(null) is not [1, > 1] shape)
                throw _model.WrongShape("one output 1×N for family arcface");
            Length = shape[1];
            _model.Bind([1, 3, description.Height, description.Width], (string?)null);
        }
        catch
        {
            _model.Dispose();
            throw;
        }
    }

    /// <summary>Values in an embedding.</summary>
    public int Length { get; }

    /// <summary>Where the aligned face goes: planes R, G, B.</summary>
    public Span<float> Input => _model.Input;

    /// <summary>What the stage has cost so far.</summary>
    public StageTime Time => _model.Time;

    /// <summary>The embedding of what lies in <see cref="Input"/>, of length 1; null when the model gives nonsense (zero or not a number).</summary>
    public float[]? Embed()
    {
        _model.BeginStage();
        _model.Run();
        ReadOnlySpan<float> output = _model.Output(0);
        double square = 0;
        foreach (float value in output)
            square += (double)value * value;
        float[]? embedding = null;
        if (square > 0 && double.IsFinite(square))
        {
            embedding = new float[Length];
            float share = (float)(1 / Math.Sqrt(square));
            for (int i = 0; i < embedding.Length; i++)
                embedding[i] = output[i] * share;
        }
        _model.EndStage();
        return embedding;
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();
}
