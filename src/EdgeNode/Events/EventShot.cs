namespace EdgeNode.Events;

/// <summary>The best shot of an event: the face that its identity was told from.</summary>
/// <param name="EventId">The event.</param>
/// <param name="Camera">The camera that saw it.</param>
/// <param name="IdentityId">Who it is; null a stranger.</param>
/// <param name="TakenAt">Capture time, UTC. Where another event goes on with a face, it may be older than the event.</param>
/// <param name="Quality">How well it shows the face, 0 to 1.</param>
/// <param name="ModelPack">The model pack that made <paramref name="Template"/>.</param>
/// <param name="Template">Its embedding, of unit length. Nobody changes it.</param>
/// <param name="Picture">The face with a margin: JPEG, at most 64 KB.</param>
public sealed record EventShot(Guid EventId, string Camera, Guid? IdentityId, DateTime TakenAt, float Quality, string ModelPack, float[] Template, byte[] Picture);
