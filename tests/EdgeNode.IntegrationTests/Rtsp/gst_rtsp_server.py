#!/usr/bin/python3
"""A real RTSP server (gst-rtsp-server) with cameras for tests and benchmarks.

Each mount point loops a film (H.264 or H.265 in MP4), paced as live, with timestamps that go on across the loop; without a
film it encodes a live test pattern. Prints "ready PORT" once it listens. Ends with SIGTERM, or when its standard input closes
and --with-parent is given.

Needs Debian's python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-base/-good/-bad (and -ugly for the pattern).
"""
import argparse
import signal
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PATTERN = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=30/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60 bitrate=500 ! h264parse config-interval=-1 "
    "! rtph264pay name=pay0 pt=96 mtu=1400 )"
)
LOOP = (
    "appsrc name=source is-live=true format=time block=false ! identity sync=true "
    "! {codec}parse config-interval=-1 ! rtp{codec}pay name=pay0 pt=96 mtu=1400"
)
# Parameter sets nowhere but in the session description.
BARE_LOOP = (
    "appsrc name=source is-live=true format=time block=false ! identity sync=true "
    "! rtp{codec}pay name=pay0 pt=96 mtu=1400 config-interval=0"
)
AUDIO = {
    "aac": "voaacenc ! aacparse ! rtpmp4gpay",
    "latm": "voaacenc ! aacparse ! rtpmp4apay",
    "pcmu": "mulawenc ! rtppcmupay",
    "pcma": "alawenc ! rtppcmapay",
    "opus": "opusenc ! rtpopuspay",
    "l16": "rtpL16pay",
}
RATES = {"pcmu": 8000, "pcma": 8000}

COPY = Gst.BufferCopyFlags.FLAGS | Gst.BufferCopyFlags.TIMESTAMPS | Gst.BufferCopyFlags.MEMORY


class Film:
    """All coded pictures of a file, read once and shared by every mount point."""

    def __init__(self, path, codec="h264", bare=False):
        self.caps = None
        self.codec = codec
        self.bare = bare
        self.pictures = []
        form = {"h264": "avc", "h265": "hvc1"}[codec] if bare else "byte-stream"
        pipeline = Gst.parse_launch(
            f"filesrc name=file ! qtdemux ! {codec}parse config-interval={0 if bare else -1} "
            f"! video/x-{codec},stream-format={form},alignment=au ! appsink name=sink sync=false max-buffers=16"
        )
        pipeline.get_by_name("file").set_property("location", path)
        sink = pipeline.get_by_name("sink")
        pipeline.set_state(Gst.State.PLAYING)
        while True:
            sample = sink.emit("pull-sample")
            if sample is None:
                break
            self.caps = sample.get_caps()
            self.pictures.append(sample.get_buffer())
        pipeline.set_state(Gst.State.NULL)
        if not self.pictures:
            sys.exit(f"{path} holds no {codec} video.")
        if not bare:
            # No size: films that follow one another differ in it, and the pictures themselves say it.
            self.caps = Gst.Caps.from_string(f"video/x-{codec},stream-format=byte-stream,alignment=au")
        times = [p.dts if p.dts != Gst.CLOCK_TIME_NONE else p.pts for p in self.pictures]
        self.start = times[0]
        picture = (times[-1] - times[0]) // max(1, len(times) - 1)
        self.duration = times[-1] - times[0] + picture


class Loop:
    """Feeds one media from films, one after another, for ever."""

    def __init__(self, films, source):
        self.films = films
        self.turn = 0
        self.index = 0
        self.offset = 0
        source.set_property("caps", films[0].caps)
        source.set_property("max-bytes", 1 << 20)
        source.connect("need-data", self.need_data)

    def need_data(self, source, _length):
        film = self.films[self.turn]
        picture = film.pictures[self.index]
        # Not copy(): for a mini object that only takes a reference, and the times of all mount points would change.
        buffer = picture.copy_region(COPY, 0, picture.get_size())
        shift = self.offset - film.start
        buffer.pts = picture.pts + shift
        if picture.dts != Gst.CLOCK_TIME_NONE:
            buffer.dts = picture.dts + shift
        self.index += 1
        if self.index == len(film.pictures):
            self.index = 0
            self.offset += film.duration
            self.turn = (self.turn + 1) % len(self.films)
        source.emit("push-buffer", buffer)


class Factory(GstRtspServer.RTSPMediaFactory):
    def __init__(self, films, audio=None):
        super().__init__()
        self.films = films
        launch = (BARE_LOOP if films[0].bare else LOOP).format(codec=films[0].codec) if films else PATTERN.strip("() ")
        if audio:
            rate = RATES.get(audio, 48000)
            launch += f" audiotestsrc is-live=true ! audio/x-raw,rate={rate},channels=1 ! audioconvert ! {AUDIO[audio]} name=pay1 pt=97"
        self.set_launch(f"( {launch} )")
        self.set_shared(True)
        self.set_protocols(GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP)

    def do_configure(self, media):
        GstRtspServer.RTSPMediaFactory.do_configure(self, media)
        if self.films:
            media.loop = Loop(self.films, media.get_element().get_by_name("source"))


def read_mount(text):
    """/path=film.mp4[+film.mp4…][,codec=h265][,audio=aac][,bare] as path and factory."""
    path, _, rest = text.partition("=")
    files, *options = rest.split(",")
    values = dict(o.partition("=")[::2] for o in options)
    films = [Film(f, values.get("codec", "h264"), "bare" in values) for f in files.split("+")]
    return path, Factory(films, values.get("audio"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--path", default="/cam", help="mount point; with --count the number is appended: /cam0, /cam1, …")
    parser.add_argument("--count", type=int, default=0, help="that many mount points")
    parser.add_argument("--file", help="H.264 in MP4; a live test pattern when missing")
    parser.add_argument("--mount", action="append", default=[], help="/path=film.mp4[+film.mp4…][,codec=h265][,audio=KIND][,bare]; may be repeated")
    parser.add_argument("--user", help="asks for digest authentication")
    parser.add_argument("--password", default="")
    parser.add_argument("--basic", action="store_true", help="asks for basic authentication instead")
    parser.add_argument("--session-timeout", type=int, default=0, help="seconds; the server's own when 0")
    parser.add_argument("--with-parent", action="store_true", help="ends when standard input closes")
    arguments = parser.parse_args()

    Gst.init(None)
    films = [Film(arguments.file)] if arguments.file else []
    server = GstRtspServer.RTSPServer()
    server.set_address(arguments.host)
    server.set_service(str(arguments.port))
    server.get_thread_pool().set_max_threads(4)  # one client's slow start must not hold up the others

    if arguments.session_timeout:
        server.connect(
            "client-connected",
            lambda _server, client: client.connect("new-session", lambda _client, session: session.set_timeout(arguments.session_timeout)),
        )

    if arguments.user:
        auth = GstRtspServer.RTSPAuth()
        auth.set_realm("edgenode test")
        token = GstRtspServer.RTSPToken()
        token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "user")
        if arguments.basic:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(arguments.user, arguments.password), token)
        else:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(arguments.user, arguments.password, token)
        server.set_auth(auth)

    paths = [f"{arguments.path}{i}" for i in range(arguments.count)] if arguments.count else [arguments.path]
    mounts = [read_mount(m) for m in arguments.mount] or [(path, Factory(films)) for path in paths]
    factories = []
    for path, factory in mounts:
        if arguments.user:
            permissions = GstRtspServer.RTSPPermissions()
            for permission in (GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT):
                permissions.add_permission_for_role("user", permission, True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)
        factories.append(factory)

    if server.attach(None) == 0:
        sys.exit(f"Port {arguments.port} cannot be listened at.")
    loop = GLib.MainLoop()
    GLib.timeout_add_seconds(5, lambda: server.get_session_pool().cleanup() >= 0)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, loop.quit)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, loop.quit)
    if arguments.with_parent:
        threading.Thread(target=lambda: (sys.stdin.read(), GLib.idle_add(loop.quit)), daemon=True).start()
    print(f"ready {server.get_bound_port()}", flush=True)
    loop.run()


if __name__ == "__main__":
    main()
