"""Views of one scene: alone, jointly, in rigs, around a given view, with normals and depth."""

from dataclasses import dataclass, replace

import numpy as np

from backend.pocket.data.batches import Sample
from backend.pocket.data.pictures import (
    WHITE_LIGHT,
    Floats,
    color_planes,
    draw_background,
    draw_light,
    nearness_planes,
    normal_planes,
    turned_z,
)
from backend.pocket.data.shots import (
    ORTHOGRAPHIC_AZIMUTHS,
    Shot,
    draw_around,
    draw_orthographic,
    draw_rig,
    draw_ring,
    draw_shot,
)
from backend.pocket.framing import centered, reach
from backend.pocket.network import COLOR, DEPTH, GENERATED, GIVEN, NORMAL
from backend.pocket.render import Light, render_views
from backend.pocket.world import (
    Description,
    build,
    caption,
    draw_caption,
    draw_description,
    view_words,
)
from backend.pocket.world.scenes import Scene

SIX_FILL, PICTURE_FILL = 0.95, 0.75
"""Of the frames of six views the unit ball, of a picture's frame the object, as
`backend.multiview` has them."""
PICTURE_PIXELS = 128


@dataclass(frozen=True)
class Subject:
    """What a set shows, in what light, over what background, and the words for it."""

    scene: Scene
    light: Light | None
    background: Floats | None
    caption: str
    kind: str

    def colors(self, shots: list[Shot]) -> Floats:
        """Its pictures, (V, 4, 64, 64) in [-1, 1]."""
        rgba = render_views(self.scene, [shot.view() for shot in shots], self.light)["rgba"]
        return color_planes(rgba, self.background)


def draw_subject(
    rng: np.random.Generator, held_out: bool, shot: Shot, opaque_share: float = 0.25
) -> Subject:
    """A random scene lit from around a camera; one in ten white and untextured, a few more without
    color words, `opaque_share` over a background of their own."""
    said = draw_description(rng, held_out)
    seed = int(rng.integers(2**31))
    light, style = draw_light(rng, shot), rng.random()
    if style < 0.1:
        said = Description(said.kind, said.color, attribute=said.attribute, count=said.count)
        scene, light = build(said, seed=seed).textureless(), light or WHITE_LIGHT
    else:
        scene = build(said, seed=seed)
    if style < 0.13:
        said = replace(said, color=None, shade=None)
    background = draw_background(rng) if rng.random() < opaque_share else None
    return Subject(scene, light, background, draw_caption(said, None, rng), said.kind)


def draw_single(rng: np.random.Generator, held_out: bool) -> Sample:
    """One view, half of the time with words for its camera, a fifth without the camera itself."""
    shot = draw_shot(rng)
    subject = draw_subject(rng, held_out, shot)
    words = subject.caption
    if rng.random() < 0.5:
        words += ", " + view_words(shot.azimuth, shot.elevation)
    opaque = subject.background is not None
    return Sample(
        subject.colors([shot]), [shot], words, alpha_known=np.array([not opaque]),
        camera_known=bool(rng.random() < 0.8),
    )


def draw_joint(rng: np.random.Generator, held_out: bool) -> Sample:
    """Four views of a rig; half of the time one or two are given."""
    return _set(rng, held_out, draw_rig(rng, 4), _given(rng, 4, (0, 0, 1, 2)))


def draw_rigged(rng: np.random.Generator, held_out: bool) -> Sample:
    """Eight views of a ring of eight or sixteen; none, one, or the four anchors or more given."""
    ring = draw_ring(rng, 8 if rng.random() < 0.5 else 16)
    chosen = ring if len(ring) == 8 else [ring[i] for i in sorted(rng.permutation(16)[:8])]
    return _set(rng, held_out, chosen, _given(rng, 8, (0, 1, 4, 4, 6)))


def draw_free(rng: np.random.Generator, held_out: bool) -> Sample:
    """Four cameras that have nothing in common; none to three given."""
    return _set(rng, held_out, [draw_shot(rng) for _ in range(4)], _given(rng, 4, (0, 1, 2, 3)))


def draw_relative(rng: np.random.Generator, held_out: bool) -> Sample:
    """Views around a given one, as Zero-1-to-3 (Liu et al., 2303.11328): mostly in the frame of
    that view, where it has azimuth 0, and mostly without words. A quarter of the given views are
    photographs, over a background and without alpha."""
    shots = draw_rig(rng, 4) if rng.random() < 0.3 else draw_around(rng, 4)
    subject = draw_subject(rng, held_out, shots[0], opaque_share=0)
    images = subject.colors(shots)
    known = np.ones(4, bool)
    if rng.random() < 0.25:
        images[:1] = replace(subject, background=draw_background(rng)).colors(shots[:1])
        known[0] = False
    frame = shots[0].azimuth if rng.random() < 0.7 else 0.0
    return Sample(
        images, [shot.turned(-frame) for shot in shots],
        subject.caption if rng.random() < 0.3 else "",
        role=np.array([GIVEN] + [GENERATED] * 3), alpha_known=known,
    )


def draw_surfaces(rng: np.random.Generator, held_out: bool) -> Sample:
    """Four cameras, each in two domains, as Wonder3D's (Long et al., 2310.15008, section 4):
    colors and normals, or another two. The colors, or the first of them, are given half of the
    time, and then the frame is mostly theirs."""
    if rng.random() < 0.5:
        six = draw_orthographic(rng)
        shots = [six[0]] + [six[i] for i in sorted(1 + rng.permutation(5)[:3])]
    else:
        shots = draw_ring(rng, 4)
    pair = ((COLOR, NORMAL), (COLOR, NORMAL), (COLOR, DEPTH), (NORMAL, DEPTH))[rng.integers(4)]
    given = np.zeros(8, bool)
    if pair[0] == COLOR and rng.random() < 0.7:
        given[: 1 if rng.random() < 0.7 else 4] = True
    return _surfaces(rng, held_out, shots, pair, given)


def draw_six(rng: np.random.Generator, held_out: bool) -> Sample:
    """A picture, and colors and normals of the six views from its height on that Wonder3D draws
    (section 4), in the picture's own frame; half of the pictures in perspective."""
    six = draw_orthographic(rng)
    picture = six[0]
    if rng.random() < 0.5:
        picture = replace(picture, fov=float(rng.uniform(25, 60)), orthographic=False)
    subject = draw_subject(rng, held_out, picture, opaque_share=0)
    words = ("", caption(subject.kind), subject.caption)[rng.integers(3)]
    return _six(subject, picture, six, words)


def draw_pictured(rng: np.random.Generator, held_out: bool) -> Sample:
    """As :func:`draw_six`, of pictures as recipes prepare and name them: mostly level and from the
    front, the outline in the middle and its longer side ``PICTURE_FILL`` of the frame, the kind
    recognized; and of views that may, all but the front, stand further around, and all of them
    at another elevation than the picture. What would not fit into the unit ball is drawn again."""
    while True:
        first = Shot(0.0, 0.0, 40.0, SIX_FILL, True)
        if rng.random() < 0.4:
            first = replace(first, azimuth=float(rng.uniform(0, 360)))
        if rng.random() < 0.4:
            first = replace(first, elevation=float(rng.uniform(-10, 45)))
        picture = first
        if rng.random() < 0.25:
            picture = replace(picture, fov=float(rng.uniform(25, 60)), orthographic=False)
        subject = draw_subject(rng, held_out, picture, opaque_share=0)
        fitted = centered(subject.scene, picture.view(), PICTURE_FILL, PICTURE_PIXELS)
        if reach(fitted) <= 1:
            break
    turn = float(rng.uniform(0, 90))
    if rng.random() < 0.4:
        first = replace(first, elevation=float(rng.uniform(-10, 60)))
    others = [first.turned(azimuth + turn) for azimuth in ORTHOGRAPHIC_AZIMUTHS[1:]]
    chance, subject = rng.random(), replace(subject, scene=fitted)
    words = subject.caption if chance < 0.15 else caption(subject.kind) if chance < 0.9 else ""
    return _six(subject, picture, [first, *others], words)


def draw_surface(rng: np.random.Generator, held_out: bool) -> Sample:
    """One camera in all three domains; the color is given more often than not."""
    given = np.array([rng.random() < 0.7, False, False])
    return _surfaces(rng, held_out, [draw_shot(rng)], (COLOR, NORMAL, DEPTH), given)


def _six(subject: Subject, picture: Shot, six: list[Shot], words: str) -> Sample:
    """The picture, given, then six views as colors and six as normals, in the picture's frame."""
    shots = [picture, *six]
    planes = _planes(subject, shots, picture.azimuth)
    return Sample(
        np.concatenate([planes[COLOR], planes[NORMAL][1:]]),
        [shot.turned(-picture.azimuth) for shot in [*shots, *six]], words,
        role=np.array([GIVEN] + [GENERATED] * 12),
        domain=np.array([COLOR] * 7 + [NORMAL] * 6),
    )


def _surfaces(
    rng: np.random.Generator, held_out: bool, shots: list[Shot], domains: tuple[int, ...],
    given: np.ndarray,
) -> Sample:
    """Views of `shots` in each of the domains, domain after domain."""
    subject = draw_subject(rng, held_out, shots[0], opaque_share=0)
    frame = shots[0].azimuth if given.any() and rng.random() < 0.7 else 0.0
    planes = _planes(subject, shots, frame)
    return Sample(
        np.concatenate([planes[domain] for domain in domains]),
        [shot.turned(-frame) for shot in shots] * len(domains),
        "" if given.any() and rng.random() < 0.7 else subject.caption,
        role=np.where(given, GIVEN, GENERATED),
        domain=np.repeat(domains, len(shots)),
    )


def _planes(subject: Subject, shots: list[Shot], frame: float) -> dict[int, Floats]:
    """Views in every domain, (V, 4, 64, 64) each; normals in a frame at that azimuth."""
    views = [shot.view() for shot in shots]
    found = render_views(subject.scene, views, subject.light)
    return {
        COLOR: color_planes(found["rgba"]),
        NORMAL: normal_planes(found["rgba"], turned_z(found["normals"], -frame)),
        DEPTH: nearness_planes(found["rgba"], found["depth"], views),
    }


def _set(
    rng: np.random.Generator, held_out: bool, shots: list[Shot], role: np.ndarray
) -> Sample:
    """Colors of one subject, named by its caption alone."""
    subject = draw_subject(rng, held_out, shots[0])
    known = np.full(len(shots), subject.background is None)
    return Sample(subject.colors(shots), shots, subject.caption, role=role, alpha_known=known)


def _given(rng: np.random.Generator, views: int, counts: tuple[int, ...]) -> np.ndarray:
    """Roles (views,) where one of `counts` views, at random places, are given."""
    role = np.full(views, GENERATED)
    role[rng.permutation(views)[: counts[rng.integers(len(counts))]]] = GIVEN
    return role
