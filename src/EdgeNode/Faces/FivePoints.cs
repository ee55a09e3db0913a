using System.Numerics;

namespace EdgeNode.Faces;

/// <summary>The five points that faces are aligned by, in pixels of the picture; left and right as the viewer sees them.</summary>
public readonly record struct FivePoints(Vector2 LeftEye, Vector2 RightEye, Vector2 Nose, Vector2 LeftMouth, Vector2 RightMouth)
{
    /// <summary>
    /// How far the face is turned aside: the nose's offset from the middle of the face, along the line of the eyes, in eye
    /// distances. About 0 from the front, beyond ±0.5 near profile.
    /// </summary>
    public float Yaw
    {
        get
        {
            Vector2 eyes = RightEye - LeftEye;
            float square = eyes.LengthSquared();
            Vector2 middle = (LeftEye + RightEye + LeftMouth + RightMouth) * 0.25f;
            return square > 0 ? Vector2.Dot(Nose - middle, eyes) / square : float.PositiveInfinity;
        }
    }

    /// <summary>
    /// How far the face looks up or down: where the nose lies on the way from eyes (0) to mouth (1), less 0.5. About 0 from the
    /// front at eye level, negative looking up.
    /// </summary>
    public float Pitch
    {
        get
        {
            Vector2 eyes = (LeftEye + RightEye) * 0.5f;
            Vector2 down = (LeftMouth + RightMouth) * 0.5f - eyes;
            float square = down.LengthSquared();
            return square > 0 ? Vector2.Dot(Nose - eyes, down) / square - 0.5f : float.PositiveInfinity;
        }
    }
}
