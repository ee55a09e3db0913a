namespace EdgeNode.Faces;

/// <summary>
/// Kalman filter of one coordinate of a box with constant velocity (SORT, Bewley et al. 2016, with the coordinates kept apart as their
/// noises are independent there). Units: fractions of the picture and seconds; noises grow with the face's size, as in DeepSORT and ByteTrack.
/// </summary>
internal struct AxisFilter
{
    /// <summary>Detections jitter by this share of the face's size.</summary>
    private const float MeasurementNoise = 0.05f;

    /// <summary>Unmodelled acceleration, face sizes / s².</summary>
    private const float AccelerationNoise = 4;

    /// <summary>Speed of a face not yet known, face sizes / s.</summary>
    private const float FirstSpeed = 2;

    private float _variance;
    private float _covariance;
    private float _speedVariance;

    public AxisFilter(float position, float size)
    {
        Position = position;
        _variance = MeasurementNoise * size * (MeasurementNoise * size);
        _speedVariance = FirstSpeed * size * (FirstSpeed * size);
    }

    public float Position { get; private set; }

    public float Speed { get; private set; }

    /// <summary>Moves on by <paramref name="seconds"/>; a face out of sight is <paramref name="slowing"/>, since nobody walks on straight for long.</summary>
    public void Predict(float seconds, float size, bool slowing)
    {
        if (slowing)
            Speed /= 1 + 2 * seconds;
        Position += Speed * seconds;
        float q = AccelerationNoise * size * (AccelerationNoise * size);
        float square = seconds * seconds;
        _variance += 2 * seconds * _covariance + square * _speedVariance + 0.25f * square * square * q;
        _covariance += seconds * _speedVariance + 0.5f * square * seconds * q;
        _speedVariance += square * q;
    }

    public void Correct(float measured, float size)
    {
        float noise = MeasurementNoise * size * (MeasurementNoise * size);
        float gain = _variance / (_variance + noise);
        float speedGain = _covariance / (_variance + noise);
        float error = measured - Position;
        Position += gain * error;
        Speed += speedGain * error;
        _speedVariance -= speedGain * _covariance;
        _covariance *= 1 - gain;
        _variance *= 1 - gain;
    }
}
