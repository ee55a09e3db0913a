using EdgeNode.Faces;

namespace EdgeNode.Gallery;

/// <summary>
/// Gives one camera's tracks their names, and never guesses one. Not thread-safe: one analysis at a time uses it.
/// <para>A track is recognised when its combined template (mean of the shots, the best first and weighted 1, 1/2, 1/3…,
/// renormalised) reaches threshold and margin and two shots agree on who is nearest; or when two shots reach both by
/// themselves; or when one shot is clearly above. Shots that name different people name nobody. It is unknown when the template
/// stays below the threshold with two shots, or clearly below with one. A name yields only to a more similar one; one that
/// stands on a single shot also falls when three shots speak against it.</para>
/// <para>One identity belongs to one track at a time: of two tracks in the same picture the more similar has the name, and the other is
/// undetermined while that one is there. A track that was last seen a second ago or more is no rival: its person came back as another track.</para>
/// </summary>
public sealed class Recognizer(GallerySearch gallery, FaceRecognitionOptions options)
{
    private const int ShotsToRetract = 3;
    private static readonly TimeSpan PresenceGap = TimeSpan.FromSeconds(1);

    private readonly Dictionary<int, State> _tracks = [];
    private readonly Dictionary<Guid, int> _owners = [];
    private float[] _template = [];

    /// <summary>What is known of a track now. Costs a look-up unless its shots or the gallery changed.</summary>
    public Recognition Decide(FaceTrack track)
    {
        if (!_tracks.TryGetValue(track.Id, out State? state))
            _tracks.Add(track.Id, state = new State());
        state.SeenAt = track.SeenAt;
        int galleryVersion = gallery.Version;
        if (state.ShotsVersion == track.ShotsVersion && state.GalleryVersion == galleryVersion)
            return state.Outcome;

        if (state.Identity is not null && gallery.Find(state.Identity.Id) != state.Identity)
            Release(track.Id, state);
        state.ShotsVersion = track.ShotsVersion;
        state.GalleryVersion = galleryVersion;
        state.Denied = null;
        Weigh(track, state);
        return state.Outcome;
    }

    /// <summary>The track ended: its identity is free for others.</summary>
    public void Forget(int trackId)
    {
        if (!_tracks.Remove(trackId, out State? state) || state.Identity is null)
            return;
        Guid freed = state.Identity.Id;
        Disown(trackId, freed);
        foreach (State other in _tracks.Values)
        {
            if (other.Denied == freed)
                other.ShotsVersion = State.Never;
        }
    }

    private void Weigh(FaceTrack track, State state)
    {
        if (track.Shots.Count == 0)
        {
            if (state.Identity is null)
                state.Outcome = Recognition.None;
            return;
        }

        ReadOnlySpan<float> template = Combine(track.Shots);
        GalleryMatch nearest = gallery.Search(template);
        Evidence? evidence = FindName(track.Shots, nearest, out bool anyShotPasses);
        if (evidence is { } found)
        {
            if (state.Identity is null || state.Identity == found.Match.Identity || found.Match.Similarity > state.Strength + options.YieldBy)
                Claim(track, state, found);
            return;
        }

        if (state.Identity is not null)
        {
            bool refuted = state.StandsOnOneShot && track.Shots.Count >= ShotsToRetract
                && gallery.SimilarityTo(state.Identity.Id, template) < options.Threshold;
            if (!refuted)
                return;
            Release(track.Id, state);
        }

        bool isUnknown = nearest.Identity is null
            || (track.Shots.Count >= 2 ? nearest.Similarity < options.Threshold && !anyShotPasses : nearest.Similarity < options.Threshold - options.ClearBy);
        state.Outcome = Nameless(isUnknown ? RecognitionStatus.Unknown : RecognitionStatus.Undetermined, nearest);
    }

    private Evidence? FindName(List<float[]> shots, in GalleryMatch combined, out bool anyShotPasses)
    {
        int agreeing = 0;
        int passing = 0;
        bool conflict = false;
        GalleryMatch first = default, second = default;
        foreach (float[] shot in shots)
        {
            GalleryMatch match = gallery.Search(shot);
            if (match.Identity is not null && match.Identity == combined.Identity)
                agreeing++;
            if (!Passes(match))
                continue;
            passing++;
            conflict |= first.Identity is not null && first.Identity != match.Identity;
            if (match.Similarity > first.Similarity || first.Identity is null)
                (first, second) = (match, first);
            else if (match.Similarity > second.Similarity || second.Identity is null)
                second = match;
        }

        anyShotPasses = passing > 0;
        if (conflict)
            return null;
        if (Passes(combined) && agreeing >= 2)
            return new Evidence(combined, OneShot: false);
        if (passing >= 2)
            return new Evidence(new GalleryMatch(first.Identity, (first.Similarity + second.Similarity) / 2, MathF.Min(first.Margin, second.Margin)), OneShot: false);
        if (passing == 1 && first.Similarity >= options.Threshold + options.ClearBy)
            return new Evidence(first, OneShot: true);
        return null;
    }

    private bool Passes(in GalleryMatch match) =>
        match.Identity is not null && match.Similarity >= options.Threshold && match.Margin >= options.Margin;

    private void Claim(FaceTrack track, State state, in Evidence evidence)
    {
        Identity identity = evidence.Match.Identity!;
        if (_owners.TryGetValue(identity.Id, out int owner) && owner != track.Id && _tracks.TryGetValue(owner, out State? rival)
            && (track.SeenAt - rival.SeenAt).Duration() < PresenceGap)
        {
            if (evidence.Match.Similarity <= rival.Strength)
            {
                if (state.Identity is null || state.Identity == identity)
                {
                    Release(track.Id, state);
                    state.Denied = identity.Id;
                    state.Outcome = Nameless(RecognitionStatus.Undetermined, evidence.Match);
                }

                return;
            }

            var lost = new GalleryMatch(identity, rival.Outcome.Similarity ?? 0, rival.Outcome.Margin ?? 0);
            Release(owner, rival);
            rival.Denied = identity.Id;
            rival.Outcome = Nameless(RecognitionStatus.Undetermined, lost);
        }

        if (state.Identity is not null && state.Identity != identity)
            Disown(track.Id, state.Identity.Id);
        state.Strength = state.Identity == identity ? MathF.Max(state.Strength, evidence.Match.Similarity) : evidence.Match.Similarity;
        // What two shots have said once, a single later one does not weaken.
        state.StandsOnOneShot = evidence.OneShot && (state.Identity != identity || state.StandsOnOneShot);
        state.Identity = identity;
        _owners[identity.Id] = track.Id;
        state.Outcome = new Recognition(RecognitionStatus.Recognized, identity.Id, identity.Name, evidence.Match.Similarity, evidence.Match.Margin);
    }

    private static Recognition Nameless(RecognitionStatus status, in GalleryMatch nearest) =>
        nearest.Identity is null ? new(status, null, null, null, null) : new(status, null, null, nearest.Similarity, nearest.Margin);

    private void Release(int trackId, State state)
    {
        if (state.Identity is not null)
            Disown(trackId, state.Identity.Id);
        state.Identity = null;
        state.Strength = 0;
        state.StandsOnOneShot = false;
        state.Outcome = Recognition.None;
    }

    private void Disown(int trackId, Guid identity)
    {
        if (_owners.TryGetValue(identity, out int owner) && owner == trackId)
            _owners.Remove(identity);
    }

    private ReadOnlySpan<float> Combine(List<float[]> shots)
    {
        float[] best = shots[0];
        if (shots.Count == 1)
            return best;
        if (_template.Length != best.Length)
            _template = new float[best.Length];
        Array.Clear(_template);
        for (int s = 0; s < shots.Count; s++)
        {
            float weight = 1f / (s + 1);
            for (int i = 0; i < _template.Length; i++)
                _template[i] += weight * shots[s][i];
        }

        return Cosine.Normalize(_template) ? _template : best;
    }

    private readonly record struct Evidence(GalleryMatch Match, bool OneShot);

    private sealed class State
    {
        public const int Never = -1;

        public int ShotsVersion = Never;
        public int GalleryVersion = Never;
        public DateTime SeenAt;
        public Recognition Outcome = Recognition.None;

        /// <summary>Who the track is, by <see cref="Strength"/> (similarity).</summary>
        public Identity? Identity;
        public float Strength;
        public bool StandsOnOneShot;

        /// <summary>Whom it would be, were not another track that person more.</summary>
        public Guid? Denied;
    }
}
