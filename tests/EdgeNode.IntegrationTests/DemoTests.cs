using System.Text.Json.Nodes;

namespace EdgeNode.IntegrationTests;

/// <summary>What a newcomer sees first: the demo, in a real browser.</summary>
public class DemoTests
{
    [SkippableFact]
    public async Task The_demo_shows_moving_pictures_and_the_name_beside_them()
    {
        Skip.IfNot(File.Exists(Browser.Program), $"There is no {Browser.Program}: Ubuntu has Chromium only as a snap.");
        using var demo = new RunningProcess(Given.Binary, "demo", "--port", "0");
        await demo.LineAsync(l => l == "ready");
        string Value(string name) => demo.Lines.First(l => l.StartsWith(name, StringComparison.Ordinal))[name.Length..].Trim();
        string ui = Value("ui:"), view = Value("view:");
        var mqtt = new Uri(Value("mqtt:"));

        using var witness = new RunningProcess("mosquitto_sub", "-h", mqtt.Host, "-p", mqtt.Port.ToString(), "-v", "-t", "#");
        using var browser = new Browser();
        await browser.OpenAsync(ui);
        await browser.UntilAsync("document.querySelector('[data-camera=demo] video')?.currentTime > 2");
        Assert.False((bool?)await browser.EvaluateAsync("document.querySelector('#login').checkVisibility()"));
        await browser.UntilAsync("document.querySelector('[data-camera=visitor] video')?.currentTime > 2");
        await browser.UntilAsync("[...document.querySelectorAll('[data-camera=demo] .face.recognized')].some(f => f.textContent === 'Franck')");
        await browser.UntilAsync("document.querySelector('[data-camera=visitor] .face.unknown')");
        await browser.UntilAsync("document.querySelectorAll('#events li').length > 1");

        // The picture itself moves, not only the clock.
        const string Fingerprint = """
            (() => {
              const video = document.querySelector('[data-camera=demo] video');
              const canvas = new OffscreenCanvas(64, 48), context = canvas.getContext('2d');
              context.drawImage(video, 0, 0, 64, 48);
              return [...context.getImageData(0, 0, 64, 48).data].join();
            })()
            """;
        string first = (string)(await browser.EvaluateAsync(Fingerprint))!;
        await browser.UntilAsync($"{Fingerprint} !== '{first}'");
        string? screenshot = Environment.GetEnvironmentVariable("EDGENODE_SCREENSHOT");
        if (screenshot is not null)
            await File.WriteAllBytesAsync(screenshot, await browser.ScreenshotAsync());

        JsonNode face = Mosquitto.Payload(await witness.LineAsync(l => l.Contains("/events/face ", StringComparison.Ordinal) && l.Contains("\"camera\":\"demo\"", StringComparison.Ordinal)));
        Assert.Equal(("Franck", "recognized"), ((string?)face["identity"]!["name"], (string?)face["identity"]!["status"]));
        Assert.StartsWith("http://127.0.0.1:", view, StringComparison.Ordinal);
        await demo.TerminateAsync();
        Assert.Equal(0, demo.ExitCode);
    }

    [SkippableFact]
    public async Task A_page_that_was_cut_off_says_so_and_comes_back_to_the_edge()
    {
        Skip.IfNot(File.Exists(Browser.Program), $"There is no {Browser.Program}: Ubuntu has Chromium only as a snap.");
        using var demo = new RunningProcess(Given.Binary, "demo", "--port", "0");
        await demo.LineAsync(l => l == "ready");
        using var browser = new Browser();
        await browser.OpenAsync(demo.Lines.First(l => l.StartsWith("ui:", StringComparison.Ordinal))["ui:".Length..].Trim());
        const string Video = "document.querySelector('[data-camera=demo] video')";
        const string Behind = "parseFloat(document.querySelector('[data-camera=demo] .latency').textContent)";
        await browser.UntilAsync($"{Video}?.currentTime > 2 && {Behind} < 3");

        await browser.SetOfflineAsync(true);
        await browser.UntilAsync("document.querySelector('[data-camera=demo].stale')");
        double stoodAt = (double)(await browser.EvaluateAsync($"{Video}.currentTime"))!;
        // Cut off until the edge is seconds ahead.
        using var client = new HttpClient();
        var playlist = new LivePlaylist(client, demo.Lines.First(l => l.StartsWith("view:", StringComparison.Ordinal))["view:".Length..].Trim());
        await playlist.UntilAsync(p => p.LastSegment > 0);
        long segment = playlist.LastSegment;
        await playlist.UntilAsync(p => p.LastSegment >= segment + 4);
        await browser.SetOfflineAsync(false);
        await browser.UntilAsync($"{Video}.currentTime > {stoodAt.ToString(System.Globalization.CultureInfo.InvariantCulture)} + 5 && {Behind} < 3");
        await browser.UntilAsync("!document.querySelector('.stale') && document.querySelector('#feed').textContent === 'Live'");
    }
}
