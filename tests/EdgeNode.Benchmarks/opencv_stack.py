#!/usr/bin/python3
"""Face recognition as one builds it at home: OpenCV decodes the film or stream, and every third picture goes through
detection, landmarks, alignment and embedding, face by face. One process, one thread, the models that EdgeNode uses.
Needs Debian's python3-opencv and python3-numpy.

usage: opencv_stack.py FILM_OR_URL MODEL_FOLDER [EVERY_NTH]
Prints one line of JSON: frames, frames_analyzed, faces, wall_s.
"""

import json
import sys
import time
from pathlib import Path

import cv2
import numpy

LEAST_SCORE = 0.65
OVERLAP_ALLOWED = 0.4
LEAST_FACE_PX = 8
FACE_PX = 112

# Where ArcFace wants eyes, tip of the nose and corners of the mouth, as complex numbers: x + iy.
CANONICAL = numpy.array([38.2946 + 51.6963j, 73.5318 + 51.5014j, 56.0252 + 71.7366j, 41.5493 + 92.3655j, 70.7299 + 92.2041j])
# Which of the 68 landmarks make up each of the five points.
LANDMARKS_OF_POINT = [[37, 38, 40, 41], [43, 44, 46, 47], [30], [48, 60], [54, 64]]


class Recognizer:
    def __init__(self, models):
        self.detector, self.landmarker, self.embedder = (
            cv2.dnn.readNetFromONNX(str(models / f"fr_{stage}.onnx")) for stage in ("detect", "landmark", "feature")
        )

    def embeddings(self, picture):
        """One unit vector of 512 values a face of the picture (BGR)."""
        for left, top, right, bottom in self.boxes(picture):
            yield self.embedding(self.aligned(picture, left, top, right, bottom))

    def boxes(self, picture):
        """Corners in whole pixels, within the picture."""
        height, width = picture.shape[:2]
        self.detector.setInput(cv2.dnn.blobFromImage(picture, 1 / 128, (320, 240), (127, 127, 127), swapRB=True))
        scores, corners = self.detector.forward(["scores", "boxes"])
        scores = scores[0, :, 1]
        likely = numpy.flatnonzero(scores > LEAST_SCORE)
        scores, corners = scores[likely], corners[0, likely] * [width, height, width, height]
        rectangles = numpy.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
        for index in numpy.ravel(cv2.dnn.NMSBoxes(rectangles.tolist(), scores.tolist(), LEAST_SCORE, OVERLAP_ALLOWED)):
            left, top = numpy.maximum(corners[int(index), :2], 0).astype(int)
            right, bottom = numpy.minimum(corners[int(index), 2:], [width, height]).astype(int)
            if right - left >= LEAST_FACE_PX and bottom - top >= LEAST_FACE_PX:
                yield left, top, right, bottom

    def aligned(self, picture, left, top, right, bottom):
        """The face, turned and scaled so that its five points lie where the embedding wants them."""
        grey = cv2.cvtColor(cv2.resize(picture[top:bottom, left:right], (64, 64)), cv2.COLOR_BGR2GRAY)
        self.landmarker.setInput(cv2.dnn.blobFromImage(grey, 1 / 256))
        fractions = self.landmarker.forward().reshape(68, 2)
        points = left + fractions[:, 0] * (right - left) + 1j * (top + fractions[:, 1] * (bottom - top))
        five = numpy.array([points[which].mean() for which in LANDMARKS_OF_POINT])
        # The similarity that brings five to CANONICAL with least squares is one complex factor and a shift.
        centred = five - five.mean()
        turn = numpy.vdot(centred, CANONICAL - CANONICAL.mean()) / numpy.vdot(centred, centred).real
        shift = CANONICAL.mean() - turn * five.mean()
        matrix = numpy.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
        return cv2.warpAffine(picture, matrix, (FACE_PX, FACE_PX))

    def embedding(self, face):
        self.embedder.setInput(cv2.dnn.blobFromImage(face, 1 / 128, mean=(127.5, 127.5, 127.5), swapRB=True))
        vector = self.embedder.forward().ravel()
        return vector / numpy.linalg.norm(vector)


def main(source, models, every=3):
    cv2.setNumThreads(1)
    recognizer = Recognizer(Path(models))
    film = cv2.VideoCapture(source)
    if not film.isOpened():
        sys.exit(f"{source} cannot be opened.")
    start = time.monotonic()
    frames = analyzed = faces = 0
    while True:
        there, picture = film.read()
        if not there:
            break
        frames += 1
        if frames % int(every) == 0:
            analyzed += 1
            faces += sum(1 for _ in recognizer.embeddings(picture))
    print(json.dumps({"frames": frames, "frames_analyzed": analyzed, "faces": faces, "wall_s": round(time.monotonic() - start, 3)}))


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
