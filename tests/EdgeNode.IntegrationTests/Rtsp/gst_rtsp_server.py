#!/usr/bin/python3
"""A real RTSP server (gst-rtsp-server) with cameras for tests and benchmarks.

Each mount point loops an H.264 file, paced as live, with timestamps that go on across the loop; without a file it
encodes a live test pattern. Prints "ready PORT" once it listens. Ends with SIGTERM, or when its standard input closes
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
    "( appsrc name=source is-live=true format=time block=false "
    "! identity sync=true ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 mtu=1400 )"
)

COPY = Gst.BufferCopyFlags.FLAGS | Gst.BufferCopyFlags.TIMESTAMPS | Gst.BufferCopyFlags.MEMORY


class Film:
    """All coded pictures of a file, read once and shared by every mount point."""

    def __init__(self, path):
        self.caps = None
        self.pictures = []
        pipeline = Gst.parse_launch(
            "filesrc name=file ! qtdemux ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au "
            "! appsink name=sink sync=false max-buffers=16"
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
            sys.exit(f"{path} holds no H.264 video.")
        times = [p.dts if p.dts != Gst.CLOCK_TIME_NONE else p.pts for p in self.pictures]
        self.start = times[0]
        picture = (times[-1] - times[0]) // max(1, len(times) - 1)
        self.duration = times[-1] - times[0] + picture


class Loop:
    """Feeds one media from a film, for ever."""

    def __init__(self, film, source):
        self.film = film
        self.index = 0
        self.offset = 0
        source.set_property("caps", film.caps)
        source.set_property("max-bytes", 1 << 20)
        source.connect("need-data", self.need_data)

    def need_data(self, source, _length):
        picture = self.film.pictures[self.index]
        # Not copy(): for a mini object that only takes a reference, and the times of all mount points would change.
        buffer = picture.copy_region(COPY, 0, picture.get_size())
        shift = self.offset - self.film.start
        buffer.pts = picture.pts + shift
        if picture.dts != Gst.CLOCK_TIME_NONE:
            buffer.dts = picture.dts + shift
        self.index += 1
        if self.index == len(self.film.pictures):
            self.index = 0
            self.offset += self.film.duration
        source.emit("push-buffer", buffer)


class Factory(GstRtspServer.RTSPMediaFactory):
    def __init__(self, film):
        super().__init__()
        self.film = film
        self.set_launch(LOOP if film else PATTERN)
        self.set_shared(True)
        self.set_protocols(GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP)

    def do_configure(self, media):
        GstRtspServer.RTSPMediaFactory.do_configure(self, media)
        if self.film:
            media.loop = Loop(self.film, media.get_element().get_by_name("source"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--path", default="/cam", help="mount point; with --count the number is appended: /cam0, /cam1, …")
    parser.add_argument("--count", type=int, default=0, help="that many mount points")
    parser.add_argument("--file", help="H.264 in MP4; a live test pattern when missing")
    parser.add_argument("--user", help="asks for digest authentication")
    parser.add_argument("--password", default="")
    parser.add_argument("--basic", action="store_true", help="asks for basic authentication instead")
    parser.add_argument("--session-timeout", type=int, default=0, help="seconds; the server's own when 0")
    parser.add_argument("--with-parent", action="store_true", help="ends when standard input closes")
    arguments = parser.parse_args()

    Gst.init(None)
    film = Film(arguments.file) if arguments.file else None
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
    factories = []
    for path in paths:
        factory = Factory(film)
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
