namespace EdgeNode.Gallery;

/// <summary>
/// Finds who a face is nearest to. An identity's similarity is the cosine of its best reference while it has one or two, and
/// the mean of its best two from three on: with many references the best alone grows by chance, and one poor photo that
/// resembles everybody must not name strangers. A face that is nearer to one that somebody rejected for an identity (<see cref="Identity.Negatives"/>)
/// than to the nearest of its references is not that identity, whatever the similarity. Only references of the one model pack are compared. Thread-safe;
/// rebuilds its table when the gallery changed, else does not allocate.
/// </summary>
public sealed class GallerySearch
{
    private readonly IdentityStore _store;
    private readonly string _modelPack;
    private volatile Table _table;

    /// <summary>A search for embeddings made by <paramref name="modelPack"/>.</summary>
    public GallerySearch(IdentityStore store, string modelPack)
    {
        _store = store;
        _modelPack = modelPack;
        _table = Table.Build(store.Current, modelPack);
    }

    /// <summary>The version of the gallery that searches now see; rises when it changes.</summary>
    public int Version => Current().Version;

    /// <summary>People who have a reference of this pack.</summary>
    public int Count => Current().Identities.Length;

    /// <summary>
    /// The nearest identity to a unit-length embedding. <see cref="GalleryMatch.Identity"/> is null when nobody has
    /// a reference of this pack and length.
    /// </summary>
    public GalleryMatch Search(ReadOnlySpan<float> probe)
    {
        Table table = Current();
        Identity? best = null;
        float first = float.NegativeInfinity, second = float.NegativeInfinity;
        for (int i = 0; i < table.Identities.Length; i++)
        {
            float similarity = Score(table.References[i], table.Negatives[i], probe);
            if (similarity > first)
            {
                second = first;
                first = similarity;
                best = table.Identities[i];
            }
            else if (similarity > second)
            {
                second = similarity;
            }
        }

        if (best is null)
            return default;
        // Strangers' cosines lie around 0: where there is no second identity, a stranger stands for it.
        return new GalleryMatch(best, first, first - (float.IsFinite(second) ? second : 0));
    }

    /// <summary>The person with that id as searches see them; null when there is none.</summary>
    internal Identity? Find(Guid id)
    {
        foreach (Identity identity in Current().Identities)
        {
            if (identity.Id == id)
                return identity;
        }

        return null;
    }

    /// <summary>Similarity of a unit-length embedding to one identity; negative infinity when it is nearer to a face that was rejected, or there is no reference to compare with.</summary>
    public float SimilarityTo(Guid id, ReadOnlySpan<float> probe)
    {
        Table table = Current();
        for (int i = 0; i < table.Identities.Length; i++)
        {
            if (table.Identities[i].Id == id)
                return Score(table.References[i], table.Negatives[i], probe);
        }

        return float.NegativeInfinity;
    }

    private static float Score(float[][] references, float[][] negatives, ReadOnlySpan<float> probe)
    {
        float best = float.NegativeInfinity, next = float.NegativeInfinity;
        foreach (float[] reference in references)
        {
            if (reference.Length != probe.Length)
                continue;
            float similarity = Cosine.Dot(reference, probe);
            if (similarity > best)
                (best, next) = (similarity, best);
            else if (similarity > next)
                next = similarity;
        }

        foreach (float[] negative in negatives)
        {
            if (negative.Length == probe.Length && Cosine.Dot(negative, probe) > best)
                return float.NegativeInfinity;
        }

        return references.Length >= 3 && float.IsFinite(next) ? (best + next) / 2 : best;
    }

    private Table Current()
    {
        Table table = _table;
        IdentityStore.Snapshot snapshot = _store.Current;
        if (table.Version != snapshot.Version)
            _table = table = Table.Build(snapshot, _modelPack);
        return table;
    }

    private sealed record Table(int Version, Identity[] Identities, float[][][] References, float[][][] Negatives)
    {
        public static Table Build(IdentityStore.Snapshot snapshot, string modelPack)
        {
            Identity[] identities = [.. snapshot.Identities.Where(i => i.References.Any(r => r.ModelPack == modelPack))];
            return new Table(snapshot.Version, identities, [.. identities.Select(i => Of(i.References))], [.. identities.Select(i => Of(i.Negatives))]);

            float[][] Of(IReadOnlyList<FaceReference> faces) => [.. faces.Where(f => f.ModelPack == modelPack).Select(f => f.Embedding)];
        }
    }
}

/// <summary>The nearest identity, its similarity (cosine, −1 to 1), and by how much it is ahead of the second.</summary>
public readonly record struct GalleryMatch(Identity? Identity, float Similarity, float Margin);
