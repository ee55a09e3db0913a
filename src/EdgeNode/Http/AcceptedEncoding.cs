using System.Globalization;

namespace EdgeNode.Http;

/// <summary>
/// Whether a client asks for gzip: only where Accept-Encoding names it with a weight above 0 (RFC 9110 §12.5.3). A mere <c>*</c> does not
/// count: players were seen that send it and cannot read what they get.
/// </summary>
internal static class AcceptedEncoding
{
    public static bool HasGzip(string? header)
    {
        foreach (Range entry in header.AsSpan().Split(','))
        {
            ReadOnlySpan<char> coding = header.AsSpan()[entry].Trim();
            ReadOnlySpan<char> weight = "1";
            if (coding.IndexOf(';') is >= 0 and var semicolon)
            {
                ReadOnlySpan<char> parameter = coding[(semicolon + 1)..].Trim();
                coding = coding[..semicolon].TrimEnd();
                if (parameter.StartsWith("q=", StringComparison.OrdinalIgnoreCase))
                    weight = parameter[2..];
            }

            if (coding.Equals("gzip", StringComparison.OrdinalIgnoreCase) || coding.Equals("x-gzip", StringComparison.OrdinalIgnoreCase))
                return double.TryParse(weight, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double q) && q > 0;
        }

        return false;
    }
}
