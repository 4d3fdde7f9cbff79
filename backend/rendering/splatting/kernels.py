"""The compiled part: which tiles a splat touches, compositing, and its gradients.

Every tile and every view is worked on by one thread in a fixed order, and sums over tiles are
taken in that order, so the same bits come out whatever the number of threads.
"""

# mypy: ignore-errors

import numpy as np
from numba import njit, prange

TILE = 16
"""Side of a tile in pixels."""

LEAST_ALPHA = 1 / 255
"""A splat that covers less of a pixel is not drawn there (3D Gaussian Splatting, as are these)."""

MOST_ALPHA = 0.99
LEAST_LIGHT = 1e-4
"""A pixel through which less light would come is finished."""


@njit(cache=True, parallel=True, error_model="numpy")
def find_boxes(centers, covariances, opacities, depth, near, height, width, boxes, counts):
    """Pixels (left, top, right, bottom; inclusive) in ``boxes`` that each splat can reach, and in
    ``counts`` (views, tiles) how many splats touch a tile. Empty boxes have right < left."""
    views, n = depth.shape
    columns = (width + TILE - 1) // TILE
    for view in prange(views):
        for g in range(n):
            boxes[view, g, 0], boxes[view, g, 2] = 0, -1
            reach = 2 * np.log(opacities[g] / LEAST_ALPHA)
            # Written so that NaN is never drawn.
            if not (reach > 0 and depth[view, g] > near and np.isfinite(depth[view, g])):
                continue
            x, y = centers[view, g]
            half_x = np.sqrt(reach * covariances[view, g, 0])
            half_y = np.sqrt(reach * covariances[view, g, 2])
            if not (x + half_x > 0 and x - half_x < width and y + half_y > 0
                    and y - half_y < height):
                continue
            left = int(max(np.ceil(x - half_x - 0.5), 0))
            right = int(min(np.floor(x + half_x - 0.5), width - 1))
            top = int(max(np.ceil(y - half_y - 0.5), 0))
            bottom = int(min(np.floor(y + half_y - 0.5), height - 1))
            if right < left or bottom < top:
                continue
            boxes[view, g] = left, top, right, bottom
            for row in range(top // TILE, bottom // TILE + 1):
                for column in range(left // TILE, right // TILE + 1):
                    counts[view, row * columns + column] += 1


@njit(cache=True, parallel=True)
def fill_lists(order, boxes, starts, width, splats):
    """The splats of each tile, front to back: ``splats[starts[view, tile]:...]``. ``order``:
    (views, n), from near to far."""
    views, n = order.shape
    columns = (width + TILE - 1) // TILE
    for view in prange(views):
        places = starts[view].copy()
        for i in range(n):
            g = order[view, i]
            left, top, right, bottom = boxes[view, g]
            if right < left:
                continue
            for row in range(top // TILE, bottom // TILE + 1):
                for column in range(left // TILE, right // TILE + 1):
                    tile = row * columns + column
                    splats[places[tile]] = g
                    places[tile] += 1


@njit(cache=True, inline="always")
def _place(item, starts, height, width):
    """Of a work item: view, its list in ``splats`` (first, end), pixels y0, y1, x0, x1. Items
    come in an order that gives each of two threads every other tile."""
    columns = (width + TILE - 1) // TILE
    tiles = columns * ((height + TILE - 1) // TILE)
    half = (len(starts) * tiles + 1) // 2
    work = 2 * item if item < half else 2 * (item - half) + 1
    view, tile = work // tiles, work % tiles
    y, x = (tile // columns) * TILE, (tile % columns) * TILE
    y1, x1 = min(y + TILE, height), min(x + TILE, width)
    return view, starts[view, tile], starts[view, tile + 1], y, y1, x, x1


@njit(cache=True, parallel=True, error_model="numpy")
def composite(starts, splats, boxes, centers, conics, opacities, features, images, light, lasts):
    """Front-to-back sums of ``features`` (views, n, c) in ``images`` (views, h, w, c), the light
    that is left in ``light``, and in ``lasts`` where in its tile's list a pixel was finished."""
    views, height, width, _ = images.shape
    for item in prange(views * (starts.shape[1] - 1)):
        view, first, end, y0, y1, x0, x1 = _place(item, starts, height, width)
        lasts[view, y0:y1, x0:x1] = end
        unfinished = (y1 - y0) * (x1 - x0)
        left = np.ones((TILE, TILE))
        tile = images[view, y0:y1, x0:x1], left, lasts[view, y0:y1, x0:x1]
        for k in range(first, end):
            g = splats[k]
            splat = centers[view, g], conics[view, g], opacities[g], features[view, g]
            unfinished -= _blend(k, splat, boxes[view, g], y0, y1, x0, x1, *tile)
            if unfinished == 0:
                break
        light[view, y0:y1, x0:x1] = left[: y1 - y0, : x1 - x0]


@njit(cache=True, error_model="numpy")
def _blend(k, splat, box, y0, y1, x0, x1, image, left, lasts):
    """Lay one splat behind what a tile shows already; how many pixels that finished."""
    (x, y), (a, b, c), opacity, features = splat
    limit = np.log(opacity / LEAST_ALPHA)
    finished = 0
    for row in range(max(box[1], y0) - y0, min(box[3] + 1, y1) - y0):
        dy = row + y0 + 0.5 - y
        for column in range(max(box[0], x0) - x0, min(box[2] + 1, x1) - x0):
            if k >= lasts[row, column]:
                continue
            dx = column + x0 + 0.5 - x
            power = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy
            if power < 0 or power > limit:
                continue
            alpha = min(MOST_ALPHA, opacity * np.exp(-power))
            before = left[row, column]
            after = before * (1 - alpha)
            if after < LEAST_LIGHT:
                lasts[row, column] = k
                finished += 1
                continue
            left[row, column] = after
            for channel in range(len(features)):
                image[row, column, channel] += alpha * before * features[channel]
    return finished


@njit(cache=True, parallel=True, error_model="numpy")
def differentiate(
    starts, splats, boxes, centers, conics, opacities, features, light, lasts,
    to_images, to_light, parts,
):
    """The gradient of each splat in each of its tiles, in ``parts`` (pairs, 6 + c): center (2),
    conic (3), opacity, features; from those of the images and of the light that is left."""
    views, height, width, _ = to_images.shape
    for item in prange(views * (starts.shape[1] - 1)):
        view, first, end, y0, y1, x0, x1 = _place(item, starts, height, width)
        left, behind = np.empty((TILE, TILE)), np.empty((TILE, TILE))
        for row in range(y1 - y0):
            for column in range(x1 - x0):
                lit = light[view, y0 + row, x0 + column]
                left[row, column] = lit
                behind[row, column] = lit * to_light[view, y0 + row, x0 + column]
        tile = to_images[view, y0:y1, x0:x1], left, behind, lasts[view, y0:y1, x0:x1]
        for k in range(end - 1, first - 1, -1):
            g = splats[k]
            splat = centers[view, g], conics[view, g], opacities[g], features[view, g]
            _differentiate_one(k, splat, boxes[view, g], y0, y1, x0, x1, *tile, parts[k])


@njit(cache=True, error_model="numpy")
def _differentiate_one(
    k, splat, box, y0, y1, x0, x1, to_image, left, behind, lasts, part
):
    """Take one splat off a tile, back to front. ``left``: the light behind it, then before it.
    ``behind``: the gradient by that light's share, of all that the splats behind it show."""
    (x, y), (a, b, c), opacity, features = splat
    limit = np.log(opacity / LEAST_ALPHA)
    for row in range(max(box[1], y0) - y0, min(box[3] + 1, y1) - y0):
        dy = row + y0 + 0.5 - y
        for column in range(max(box[0], x0) - x0, min(box[2] + 1, x1) - x0):
            if k >= lasts[row, column]:
                continue
            dx = column + x0 + 0.5 - x
            power = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy
            if power < 0 or power > limit:
                continue
            falloff = np.exp(-power)
            alpha = min(MOST_ALPHA, opacity * falloff)
            passed = 1 / (1 - alpha)
            before = left[row, column] * passed
            left[row, column] = before
            seen = 0.0
            for channel in range(len(features)):
                gradient = to_image[row, column, channel]
                seen += gradient * features[channel]
                part[6 + channel] += alpha * before * gradient
            to_alpha = before * seen - behind[row, column] * passed
            behind[row, column] += alpha * before * seen
            if opacity * falloff > MOST_ALPHA:
                continue
            to_power = -to_alpha * alpha
            part[0] -= to_power * (a * dx + b * dy)
            part[1] -= to_power * (c * dy + b * dx)
            part[2] += to_power * 0.5 * dx * dx
            part[3] += to_power * dx * dy
            part[4] += to_power * 0.5 * dy * dy
            part[5] += to_alpha * falloff


@njit(cache=True, parallel=True)
def gather(starts, splats, parts, sums):
    """Sums (views, n, 6 + c) of each splat's parts, tile after tile."""
    for view in prange(len(sums)):
        for k in range(starts[view, 0], starts[view, -1]):
            for value in range(parts.shape[1]):
                sums[view, splats[k], value] += parts[k, value]
