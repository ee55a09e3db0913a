using EdgeNode.Access;
using EdgeNode.Events;
using EdgeNode.Faces;
using EdgeNode.Gallery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace EdgeNode.Http;

/// <summary>The gallery: who is known, enrolled from photos, corrected and erased. Photos come as multipart/form-data or as base64 in JSON; of each the face is kept.</summary>
internal sealed class IdentityRoutes(IdentityStore identities, EventShots shots, Func<FaceModels?> openModels, AuditLog audit, TimeProvider time)
{
    /// <summary>Requests whose photos are received at once.</summary>
    internal const int ReceivedAtOnce = 4;

    private const int PhotosAtOnce = 12;
    private const long BodyAtMost = 48L << 20;
    private const int PhotoBytesAtMost = 16 << 20;
    private const string Multipart = "multipart/form-data";

    // Two embeddings of one shot.
    private const float Same = 0.999f;

    // Held while somebody is changed from what they are.
    private readonly Lock _changing = new();

    // A photo of 50 million pixels takes 75 MB while it is looked at; one at a time is enough, and leaves the models to the cameras.
    private readonly SemaphoreSlim _enrolling = new(1);

    private readonly SemaphoreSlim _receiving = new(ReceivedAtOnce);

    public void Map(Guard guard)
    {
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/identities", "Who is enrolled.", Role.Operator, ListAsync) { Answer = HttpJson.Default.IdentityList });
        guard.Map(new ApiRoute(HttpMethods.Post, "/api/identities", "Enrols a person from photos.", Role.Operator, (context, grant) => AsOneOfFewAsync(() => EnrolAsync(context, grant)))
        {
            Request = HttpJson.Default.EnrolRequest,
            OtherRequestType = Multipart,
            BodyAtMost = BodyAtMost,
            Answer = HttpJson.Default.EnrolAnswer,
        });
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/identities/{id}", "One person.", Role.Operator, (context, _) =>
            WriteJson.SendAsync(context, Describe(Find(context)), HttpJson.Default.IdentityEntry))
        { Answer = HttpJson.Default.IdentityEntry });
        guard.Map(new ApiRoute(HttpMethods.Delete, "/api/identities/{id}", "Erases a person: references, photos, shots, and the name in the events that are held.", Role.Operator, EraseAsync) { Answer = HttpJson.Default.Success });
        guard.Map(new ApiRoute(HttpMethods.Post, "/api/identities/{id}/photos", "Adds photos to a person.", Role.Operator, (context, grant) => AsOneOfFewAsync(() => AddPhotosAsync(context, grant)))
        {
            Request = HttpJson.Default.PhotosRequest,
            OtherRequestType = Multipart,
            BodyAtMost = BodyAtMost,
            Answer = HttpJson.Default.EnrolAnswer,
        });
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/identities/{id}/photos", "The faces that a person is recognised by.", Role.Operator, (context, _) =>
            WriteJson.SendAsync(context, new PhotoList([.. Find(context).References.Select(r => new PhotoEntry(r.Id, r.ModelPack, r.HasCrop))]), HttpJson.Default.PhotoList))
        { Answer = HttpJson.Default.PhotoList });
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/identities/{id}/photos/{photo}", "One of these, cut to the face.", Role.Operator, (context, _) =>
        {
            (Identity identity, FaceReference photo) = FindPhoto(context);
            byte[] jpeg = identities.ReadCrop(identity.Id, photo.Id)
                ?? throw new RefusedException(Problem.NotFound("Of that photo only the template was kept: add it again to see it."));
            return WriteJson.SendAsync(context, jpeg, "image/jpeg");
        })
        { AnswerType = "image/jpeg" });
        guard.Map(new ApiRoute(HttpMethods.Delete, "/api/identities/{id}/photos/{photo}", "Takes one of these from the person.", Role.Operator, RemovePhotoAsync) { Answer = HttpJson.Default.IdentityAnswer });
        guard.Map(new ApiRoute(HttpMethods.Post, "/api/identities/{id}/confirm", "Says that the best shot of an event is this person: it becomes a reference.", Role.Operator, ConfirmAsync)
        {
            Request = HttpJson.Default.EventReference,
            Answer = HttpJson.Default.IdentityAnswer,
        });
        guard.Map(new ApiRoute(HttpMethods.Post, "/api/identities/{id}/reject", "Says that the best shot of an event is not this person: faces nearer to it than to the references are not named so.", Role.Operator, RejectAsync)
        {
            Request = HttpJson.Default.EventReference,
            Answer = HttpJson.Default.IdentityAnswer,
        });
    }

    private Task ListAsync(HttpContext context, AccessGrant grant) =>
        WriteJson.SendAsync(context, new IdentityList([.. identities.List.Select(Describe)]), HttpJson.Default.IdentityList);

    private async Task EnrolAsync(HttpContext context, AccessGrant grant)
    {
        FaceModels models = await RequireModelsAsync();
        string name;
        List<byte[]> photos;
        if (IsMultipart(context))
        {
            (string? given, photos) = await ReadFormAsync(context);
            name = given ?? throw new RefusedException(Problem.BadRequest("The form's field 'name' is missing."));
        }
        else
        {
            EnrolRequest request = await RequestBody.ReadAsync(context, HttpJson.Default.EnrolRequest);
            (name, photos) = (request.Name, [.. request.Photos]);
        }

        name = name.Trim();
        if (name.Length is 0 or > Identity.NameLengthAtMost || name.Any(char.IsControl))
            throw new RefusedException(Problem.BadRequest($"'name' must have 1 to {Identity.NameLengthAtMost} characters, none of them a control character."));
        (List<FaceReference> references, List<string> refused) = await LookAsync(context, models, photos);
        Identity identity = Identity.Create(name, references, time);
        try
        {
            identities.Add(identity);
        }
        catch (InvalidOperationException full)
        {
            throw new RefusedException(Problem.Conflict(full.Message));
        }

        audit.Record(grant, AuditAction.IdentityEnroll, $"identity:{identity.Id}");
        await WriteJson.SendAsync(context, new EnrolAnswer(true, Describe(identity), refused), HttpJson.Default.EnrolAnswer);
    }

    private async Task AddPhotosAsync(HttpContext context, AccessGrant grant)
    {
        FaceModels models = await RequireModelsAsync();
        Identity identity = Find(context);
        List<byte[]> photos = IsMultipart(context)
            ? (await ReadFormAsync(context)).Photos
            : [.. (await RequestBody.ReadAsync(context, HttpJson.Default.PhotosRequest)).Photos];
        (List<FaceReference> references, List<string> refused) = await LookAsync(context, models, photos);
        identity = identities.Change(identity.Id, now => WithMore(now, references)) ?? throw new RefusedException(NoSuchPerson());
        audit.Record(grant, AuditAction.IdentityEnroll, $"identity:{identity.Id}");
        await WriteJson.SendAsync(context, new EnrolAnswer(true, Describe(identity), refused), HttpJson.Default.EnrolAnswer);
    }

    private Task RemovePhotoAsync(HttpContext context, AccessGrant grant)
    {
        (Identity identity, FaceReference photo) = FindPhoto(context);
        identity = identities.Change(identity.Id, now =>
        {
            FaceReference[] others = [.. now.References.Where(r => r.Id != photo.Id)];
            if (others.Length == 0)
                throw new RefusedException(Problem.Conflict("This is the person's last photo: add a better one first, or erase the person instead (DELETE /api/identities/{id})."));
            return now.With(references: others);
        }) ?? throw new RefusedException(NoSuchPerson());
        audit.Record(grant, AuditAction.IdentityCorrect, $"identity:{identity.Id}");
        return WriteJson.SendAsync(context, new IdentityAnswer(true, Describe(identity)), HttpJson.Default.IdentityAnswer);
    }

    private Task ConfirmAsync(HttpContext context, AccessGrant grant) => CorrectAsync(context, grant, (identity, shot) =>
    {
        if (shot.Quality < PhotoEnrolment.LeastQuality)
            throw new RefusedException(Problem.Unprocessable("That shot shows the face too small, blurred or turned away to be a reference, which would resemble others too: confirm a better one, or add a photo."));
        FaceReference[] negatives = Without(identity.Negatives, shot);
        Identity confirmed = identity.References.Any(r => IsSame(r, shot))
            ? identity
            : WithMore(identity, [new FaceReference(shot.ModelPack, shot.Template, shot.Picture)]);
        return confirmed.With(negatives: negatives);
    }, isThem: true);

    private Task RejectAsync(HttpContext context, AccessGrant grant) => CorrectAsync(context, grant, (identity, shot) =>
    {
        FaceReference[] references = Without(identity.References, shot);
        if (references.Length == 0)
            throw new RefusedException(Problem.Conflict("That shot is the only reference of this person: add a photo of them first, or erase the person instead (DELETE /api/identities/{id})."));
        return identity.With(references: references, negatives: [.. Without(identity.Negatives, shot), new FaceReference(shot.ModelPack, shot.Template)]);
    }, isThem: false);

    private async Task CorrectAsync(HttpContext context, AccessGrant grant, Func<Identity, EventShot, Identity> correct, bool isThem)
    {
        EventReference request = await RequestBody.ReadAsync(context, HttpJson.Default.EventReference);
        FaceModels models = await RequireModelsAsync();
        Identity identity;
        lock (_changing)
        {
            EventShot shot = EventRoutes.Find(shots, $"{request.EventId:D}", grant);
            if (shot.ModelPack != models.Pack.Id)
                throw new RefusedException(Problem.Unprocessable("That shot is from before the node's face models were changed, and cannot be compared with its faces of now: take a newer event."));
            identity = identities.Change(Find(context).Id, now => correct(now, shot)) ?? throw new RefusedException(NoSuchPerson());
            // Whoever erases the person later erases this shot with them; who is not them keeps it no longer.
            if (isThem || shot.IdentityId == identity.Id)
                shots.Assign(shot.EventId, isThem ? identity.Id : null);
        }

        audit.Record(grant, AuditAction.IdentityCorrect, $"identity:{identity.Id}");
        await WriteJson.SendAsync(context, new IdentityAnswer(true, Describe(identity)), HttpJson.Default.IdentityAnswer);
    }

    private static Identity WithMore(Identity identity, IReadOnlyList<FaceReference> references)
    {
        FaceReference[] all = [.. identity.References, .. references];
        return all.Length <= Identity.ReferencesAtMost
            ? identity.With(references: all)
            : throw new RefusedException(Problem.Unprocessable($"That would make {all.Length} reference faces, and {Identity.ReferencesAtMost} are the most; a dozen different ones are enough."));
    }

    private static FaceReference[] Without(IReadOnlyList<FaceReference> faces, EventShot shot) => [.. faces.Where(f => !IsSame(f, shot))];

    private static bool IsSame(FaceReference face, EventShot shot) =>
        face.ModelPack == shot.ModelPack && face.Embedding.Length == shot.Template.Length && Cosine.Dot(face.Embedding, shot.Template) > Same;

    private async Task EraseAsync(HttpContext context, AccessGrant grant)
    {
        Identity identity = Find(context);
        // Copies are made anew, and readers waited for: not on a thread that serves others. Nor while somebody is corrected, whose shot would be kept.
        bool erased = await Task.Factory.StartNew(
            () =>
            {
                lock (_changing)
                    return identities.Remove(identity.Id);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (!erased)
            throw new RefusedException(NoSuchPerson());
        audit.Record(grant, AuditAction.IdentityErase, $"identity:{identity.Id}");
        await WriteJson.SendAsync(context, new Success(true), HttpJson.Default.Success);
    }

    // Bodies of 48 MB are held in memory, base64 in JSON several times over.
    private async Task AsOneOfFewAsync(Func<Task> enrol)
    {
        if (!_receiving.Wait(0, CancellationToken.None))
            throw new RefusedException(Problem.Unavailable("Busy", "Photos of others are being received: try again in a moment."));
        try
        {
            await enrol();
        }
        finally
        {
            _receiving.Release();
        }
    }

    // At least one photo must serve; what is wrong with the others is told.
    private async Task<(List<FaceReference> References, List<string> Refused)> LookAsync(HttpContext context, FaceModels models, List<byte[]> photos)
    {
        if (photos.Count is 0 or > PhotosAtOnce)
            throw new RefusedException(Problem.BadRequest($"Send 1 to {PhotosAtOnce} photos at once, not {photos.Count}."));
        var references = new List<FaceReference>();
        var refused = new List<string>();
        await _enrolling.WaitAsync(context.RequestAborted);
        try
        {
            await Task.Run(() =>
            {
                for (int i = 0; i < photos.Count; i++)
                {
                    try
                    {
                        references.Add(PhotoEnrolment.FromPhoto(models, photos[i], $"Photo {i + 1}"));
                    }
                    catch (EnrolmentException fault)
                    {
                        refused.Add(fault.Message);
                    }
                }
            });
        }
        finally
        {
            _enrolling.Release();
        }

        return references.Count > 0 ? (references, refused) : throw new RefusedException(Problem.Unprocessable(string.Join(' ', refused)));
    }

    private static bool IsMultipart(HttpContext context) => context.Request.ContentType?.StartsWith(Multipart, StringComparison.OrdinalIgnoreCase) == true;

    private static async Task<(string? Name, List<byte[]> Photos)> ReadFormAsync(HttpContext context)
    {
        string boundary = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out MediaTypeHeaderValue? type) ? HeaderUtilities.RemoveQuotes(type.Boundary).ToString() : "";
        if (boundary.Length is 0 or > 70)
            throw new RefusedException(Problem.BadRequest("The form's Content-Type names no boundary."));
        string? name = null;
        var photos = new List<byte[]>();
        var reader = new MultipartReader(boundary, context.Request.Body) { HeadersCountLimit = 8, HeadersLengthLimit = 4096 };
        try
        {
            while (await reader.ReadNextSectionAsync(context.RequestAborted) is MultipartSection section)
            {
                string? field = ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out ContentDispositionHeaderValue? disposition)
                    ? HeaderUtilities.RemoveQuotes(disposition.Name).ToString()
                    : null;
                if (field == "name")
                    name = System.Text.Encoding.UTF8.GetString(await ReadAsync(section.Body, 4 * Identity.NameLengthAtMost, "The form's field 'name' is too long.", context.RequestAborted));
                else if (field is not ("photo" or "photos" or "photos[]"))
                    throw new RefusedException(Problem.BadRequest("The form's fields must be 'name' and, once a photo, 'photos'."));
                else if (photos.Count == PhotosAtOnce)
                    throw new RefusedException(Problem.BadRequest($"Send {PhotosAtOnce} photos at once at most."));
                else
                    photos.Add(await ReadAsync(section.Body, PhotoBytesAtMost, $"Photo {photos.Count + 1} is larger than {PhotoBytesAtMost >> 20} MB.", context.RequestAborted));
            }
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException and not Microsoft.AspNetCore.Http.BadHttpRequestException)
        {
            throw new RefusedException(Problem.BadRequest("The form is broken: it ends too early, or its parts do not fit its boundary."));
        }

        return (name, photos);
    }

    private static async Task<byte[]> ReadAsync(Stream part, int bytesAtMost, string tooLarge, CancellationToken stop)
    {
        using var content = new MemoryStream();
        byte[] buffer = new byte[32 << 10];
        int read;
        while ((read = await part.ReadAsync(buffer, stop)) > 0)
        {
            if (content.Length + read > bytesAtMost)
                throw new RefusedException(new Problem(StatusCodes.Status413PayloadTooLarge, "Too large", tooLarge));
            content.Write(buffer, 0, read);
        }

        return content.ToArray();
    }

    // The first call opens them, which takes a while.
    private async Task<FaceModels> RequireModelsAsync() => await Task.Run(openModels)
        ?? throw new RefusedException(Problem.Unavailable("No models", "The node has no face models, so nobody can be enrolled: its log says why."));

    private Identity Find(HttpContext context) =>
        Guid.TryParse(context.Request.RouteValues["id"] as string, out Guid id) && identities.Find(id) is Identity identity ? identity : throw new RefusedException(NoSuchPerson());

    private (Identity Identity, FaceReference Photo) FindPhoto(HttpContext context)
    {
        Identity identity = Find(context);
        return Guid.TryParse(context.Request.RouteValues["photo"] as string, out Guid id) && identity.References.FirstOrDefault(r => r.Id == id) is FaceReference photo
            ? (identity, photo)
            : throw new RefusedException(Problem.NotFound("There is no such photo of this person."));
    }

    private static Problem NoSuchPerson() => Problem.NotFound("There is nobody with that id.");

    private static IdentityEntry Describe(Identity identity) => new(identity.Id, identity.Name, identity.CreatedAt, identity.References.Count, identity.Negatives.Count);
}
