using System.Collections;
using System.Text.RegularExpressions;

namespace EdgeNode.Configuration;

/// <summary>Reads the YAML file and the environment (<c>EDGENODE__SECTION__KEY</c>) into a checked <see cref="NodeConfiguration"/>.</summary>
public static partial class ConfigurationReader
{
    private const string EnvironmentPrefix = "EDGENODE__";

    /// <summary>Where the configuration lies when nobody says otherwise.</summary>
    public static IReadOnlyList<string> DefaultFiles { get; } = ["/etc/edgenode/edgenode.yaml", "./edgenode.yaml"];

    /// <summary>Reads <paramref name="file"/>, or the first default file that exists.</summary>
    /// <exception cref="ConfigurationException">Something is wrong in it; every error is named.</exception>
    public static NodeConfiguration ReadFile(string? file)
    {
        file ??= DefaultFiles.FirstOrDefault(File.Exists)
            ?? throw new ConfigurationException([new("Configuration", $"there is none at {string.Join(" or ", DefaultFiles)}: write one, or name it with --config FILE.")]);
        try
        {
            using var text = new StreamReader(file);
            return Read(file, text, Environment.GetEnvironmentVariables());
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([new(file, $"cannot be read: {fault.Message}")]);
        }
    }

    /// <summary>Reads from text, with environment variables over it. <paramref name="name"/> stands in errors.</summary>
    /// <exception cref="ConfigurationException">Something is wrong in it; every error is named.</exception>
    public static NodeConfiguration Read(string name, TextReader text, IDictionary environment)
    {
        YamlMap tree = YamlTree.Read(name, text);
        ApplyEnvironment(tree, environment);
        var errors = new List<ConfigurationError>();
        var root = new SectionReader(tree, "", errors);
        NodeConfiguration configuration = Map(root);
        if (errors.Count > 0)
            throw new ConfigurationException(errors);
        return configuration;
    }

    private static NodeConfiguration Map(SectionReader root)
    {
        var configuration = new NodeConfiguration
        {
            Node = MapNode(root.Section("node")),
            Http = MapHttp(root.Section("http")),
            Mqtt = root.Has("mqtt") ? MapMqtt(root.Section("mqtt")) : null,
            Tokens = MapTokens(root.Section("tokens")),
            Models = MapModels(root.Section("models")),
            Faces = MapFaces(root.Section("faces")),
            Cameras = MapCameras(root),
        };
        root.RefuseRest();
        return configuration;
    }

    private static NodeSection MapNode(SectionReader section)
    {
        var defaults = new NodeSection();
        var node = new NodeSection
        {
            Site = section.Text("site", SiteForm(), "1 to 50 of a-z, 0-9 and '-'") ?? defaults.Site,
            Id = section.Text("id", SiteForm(), "1 to 50 of a-z, 0-9 and '-'") ?? defaults.Id,
            State = section.Text("state") ?? defaults.State,
            BaseUrl = MapUrl(section, "base_url", "http", "https"),
        };
        if (node.Id == "gallery")
            section.Error("id", "cannot be 'gallery', which is reserved");
        section.RefuseRest();
        return node;
    }

    private static HttpSection MapHttp(SectionReader section)
    {
        string listen = section.Text("listen") ?? "0.0.0.0:8080";
        int colon = listen.LastIndexOf(':');
        var http = new HttpSection();
        if (colon > 0 && int.TryParse(listen.AsSpan(colon + 1), out int port) && port is >= 0 and <= 65535)
            http = new HttpSection { Host = listen[..colon].Trim('[', ']'), Port = port };
        else
            section.Error("listen", $"must be ADDRESS:PORT such as 0.0.0.0:8080, not '{listen}'");
        if (http.Host != "localhost" && !System.Net.IPAddress.TryParse(http.Host, out _))
            section.Error("listen", $"must begin with an IP address of this machine, 0.0.0.0 for all, or localhost, not '{http.Host}'");
        section.RefuseRest();
        return http;
    }

    private static MqttSection MapMqtt(SectionReader section)
    {
        var mqtt = new MqttSection
        {
            Broker = section.Require("broker", MapUrl(section, "broker", "mqtt", "mqtts")),
            Username = section.Text("username"),
            Password = section.Secret("password"),
            Ca = section.Text("ca"),
        };
        section.RefuseRest();
        return mqtt;
    }

    private static TokensSection MapTokens(SectionReader section)
    {
        var tokens = new TokensSection
        {
            Lifetime = section.Duration("lifetime", TimeSpan.FromMinutes(1), TimeSpan.FromDays(1)) ?? new TokensSection().Lifetime,
        };
        section.RefuseRest();
        return tokens;
    }

    private static ModelsSection MapModels(SectionReader section)
    {
        var models = new ModelsSection { Folder = section.Text("folder") };
        section.RefuseRest();
        return models;
    }

    private static FacesSection MapFaces(SectionReader section)
    {
        var defaults = new FacesSection();
        var faces = new FacesSection
        {
            Threshold = Auto(section, "threshold"),
            Margin = Auto(section, "margin"),
            MinFacePx = section.Integer("min_face_px", 16, 512) ?? defaults.MinFacePx,
            MaxEvent = section.Duration("max_event", TimeSpan.FromSeconds(10), TimeSpan.FromDays(1)) ?? defaults.MaxEvent,
        };
        section.RefuseRest();
        return faces;
    }

    private static float? Auto(SectionReader section, string key) =>
        section.Text(key) is null or "auto" ? null : (float?)section.Number(key, 0, 1);

    private static List<CameraConfiguration> MapCameras(SectionReader root)
    {
        var cameras = new List<CameraConfiguration>();
        foreach (SectionReader section in root.Sections("cameras"))
        {
            string? id = section.Require("id", section.Text("id", CameraForm(), "1 to 63 of a-z, 0-9, '_' and '-', not beginning with '_' or '-'"));
            if (id is not null && cameras.Exists(c => c.Id == id))
                section.Error("id", $"'{id}' is another camera's already");
            Secret? url = section.Secret("url");
            section.Require("url", url);
            if (url is not null && !UrlForm().IsMatch(url.Reveal()))
                section.Error("url", "must begin with rtsp://, http://, https:// or file:");
            SectionReader analytics = section.Section("analytics");
            cameras.Add(new CameraConfiguration
            {
                Id = id ?? "",
                Name = section.Text("name") ?? id ?? "",
                Url = url ?? new Secret(""),
                Username = section.Text("username"),
                Password = section.Secret("password"),
                Analytics = new AnalyticsSection
                {
                    Enabled = analytics.Flag("enabled") ?? true,
                    Fps = analytics.Number("fps", 0.1, 60) ?? new AnalyticsSection().Fps,
                },
            });
            analytics.RefuseRest();
            section.RefuseRest();
        }

        return cameras;
    }

    private static Uri? MapUrl(SectionReader section, string key, params ReadOnlySpan<string> schemes)
    {
        string? text = section.Text(key);
        if (text is null)
            return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && schemes.Contains(url.Scheme) && url.Host.Length > 0 && url.UserInfo.Length == 0 && (url.AbsolutePath.Length <= 1 || schemes.Contains("https")))
            return url;
        section.Error(key, $"must be a URL that begins with {string.Join(":// or ", schemes!)}:// and holds no password" + (schemes.Contains("https") ? "" : " and no path"));
        return null;
    }

    // Section and key of a variable are joined by two underscores; keys themselves may hold single ones.
    private static void ApplyEnvironment(YamlMap tree, IDictionary environment)
    {
        foreach (DictionaryEntry variable in environment)
        {
            if (variable.Key is not string name || variable.Value is not string value || !name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal))
                continue;
            string[] path = name[EnvironmentPrefix.Length..].ToLowerInvariant().Split("__");
            string place = $"environment variable {name}";
            YamlMap map = tree;
            foreach (string key in path[..^1])
            {
                if (!map.Entries.TryGetValue(key, out (YamlValue Value, string Place) entry) || entry.Value is not YamlMap)
                    map.Entries[key] = entry = (new YamlMap(place), place);
                map = (YamlMap)entry.Value;
            }

            map.Entries[path[^1]] = (new YamlScalar(value, place), place);
        }
    }

    [GeneratedRegex("^[a-z0-9-]{1,50}$")]
    private static partial Regex SiteForm();

    [GeneratedRegex("^[a-z0-9][a-z0-9_-]{0,62}$")]
    private static partial Regex CameraForm();

    [GeneratedRegex("^(rtsp://|https?://|file:).")]
    private static partial Regex UrlForm();
}
