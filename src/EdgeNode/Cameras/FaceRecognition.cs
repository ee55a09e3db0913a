using EdgeNode.Configuration;
using EdgeNode.Events;
using EdgeNode.Faces;
using EdgeNode.Gallery;
using EdgeNode.Native.Linux;

namespace EdgeNode.Cameras;

/// <summary>What all cameras share to put names to faces: the models, the gallery, and the thresholds.</summary>
public sealed class FaceRecognition
{
    private readonly GallerySearch _search;

    /// <summary>Recognition with these models among the people of <paramref name="identities"/>.</summary>
    public FaceRecognition(FaceModels models, IdentityStore identities, FacesSection faces)
    {
        Models = models;
        Options = new FaceRecognitionOptions
        {
            Threshold = faces.Threshold ?? models.Pack.SimilarityThreshold,
            Margin = faces.Margin ?? models.Pack.SimilarityMargin,
        };
        _search = new GallerySearch(identities, models.Pack.Id);
    }

    /// <summary>The models.</summary>
    public FaceModels Models { get; }

    /// <summary>The thresholds in force.</summary>
    public FaceRecognitionOptions Options { get; }

    /// <summary>A composer of events for one camera.</summary>
    public FaceEventComposer ComposeEvents(EventOrigin origin, FacesSection faces, TimeProvider time, Action<FaceEvent, EventShot?> emit) =>
        new(origin, new Recognizer(_search, Options), new FaceEventOptions { MaxEvent = faces.MaxEvent, UpdateEvery = faces.UpdateEvery, ModelPack = Models.Pack.Id }, time, KernelClock.IsSynchronized, emit);
}
