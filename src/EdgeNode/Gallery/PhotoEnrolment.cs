using EdgeNode.Decoding;
using EdgeNode.Faces;

namespace EdgeNode.Gallery;

/// <summary>Makes an identity's references from photos.</summary>
public static class PhotoEnrolment
{
    // Behind a portrait somebody may stand; beside it nobody of nearly the same size may.
    private const float ClearlyLargest = 2;

    // One poor reference resembles everybody. Portraits from the front measure 0.7 to 1, blurred beyond use 0.5.
    internal const float LeastQuality = 0.6f;
    private const float LeastPixels = 48;

    /// <summary>The reference of the one person whom the photo shows.</summary>
    /// <exception cref="EnrolmentException">The photo cannot be read, shows no face, one that is too poor, or several; the message says which.</exception>
    public static FaceReference FromPhoto(FaceModels models, string path) => FromPhoto(models, () => StillImage.Read(path), path);

    /// <summary>The same from the bytes of a photo file; <paramref name="name"/> is what to call it in errors.</summary>
    /// <exception cref="EnrolmentException">The photo cannot be read, shows no face, one that is too poor, or several; the message says which.</exception>
    public static FaceReference FromPhoto(FaceModels models, byte[] file, string name) => FromPhoto(models, () => StillImage.Decode(file, name), name);

    private static FaceReference FromPhoto(FaceModels models, Func<StillImage> read, string path)
    {
        StillImage photo;
        IReadOnlyList<StillFace> faces;
        try
        {
            photo = read();
            faces = models.AnalyzeStill(photo.View);
        }
        catch (DecodeException fault)
        {
            throw new EnrolmentException(fault.Message);
        }

        StillFace[] bySize = [.. faces.OrderByDescending(f => f.Box.Area)];
        if (bySize.Length == 0)
            throw new EnrolmentException($"{path}: no face was found; use a photo that shows the face from the front and larger.");
        if (bySize.Length > 1 && bySize[0].Box.Area < ClearlyLargest * bySize[1].Box.Area)
            throw new EnrolmentException($"{path}: {bySize.Length} faces were found; use a photo of one person, or cut it to that face.");
        StillFace face = bySize[0];
        float side = MathF.Min(face.Box.Width * photo.Width, face.Box.Height * photo.Height);
        if (side < LeastPixels)
            throw new EnrolmentException($"{path}: the face is {side:0} pixels small; use a photo that shows it with {LeastPixels:0} or more.");
        if (face.Quality < LeastQuality || face.Embedding is not { } embedding)
            throw new EnrolmentException($"{path}: the face is blurred, or turned or tilted too far; use a sharp photo from the front, upright.");
        return new FaceReference(models.Pack.Id, embedding, Crop(photo, face));
    }

    // Without FFmpeg's encoder people are known, but not shown.
    private static byte[]? Crop(StillImage photo, StillFace face)
    {
        try
        {
            return FaceCrop.Encode(photo.View, face.Box);
        }
        catch (DecodeException)
        {
            return null;
        }
    }

    /// <summary>The people of a folder: one folder each, named for them, with their photos. Photos that cannot be used are told to <paramref name="refuse"/>.</summary>
    /// <exception cref="EnrolmentException">There is no such folder, or nobody could be enrolled.</exception>
    public static IdentityStore FromFolder(FaceModels models, string folder, TimeProvider time, Action<string> refuse)
    {
        if (!Directory.Exists(folder))
            throw new EnrolmentException($"There is no folder '{folder}': name one that holds a folder a person, with photos.");
        var people = new List<Identity>();
        foreach (string person in Directory.GetDirectories(folder).Order(StringComparer.Ordinal))
        {
            var references = new List<FaceReference>();
            foreach (string photo in Directory.GetFiles(person).Order(StringComparer.Ordinal))
            {
                if (references.Count == Identity.ReferencesAtMost)
                {
                    refuse($"{person}: of its photos the first {references.Count} that can be used are taken; a dozen different ones are enough.");
                    break;
                }

                try
                {
                    references.Add(FromPhoto(models, photo));
                }
                catch (EnrolmentException fault)
                {
                    refuse(fault.Message);
                }
            }

            if (references.Count > 0)
                people.Add(Identity.Create(Path.GetFileName(person), references, time));
        }

        return people.Count > 0
            ? IdentityStore.InMemory(people)
            : throw new EnrolmentException($"In '{folder}' nobody could be enrolled: it must hold a folder a person, with photos.");
    }
}

/// <summary>A photo or a folder that nobody can be enrolled from; the message is one sentence that says why.</summary>
public sealed class EnrolmentException(string message) : Exception(message);
