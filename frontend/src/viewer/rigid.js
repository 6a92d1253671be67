// Rigid movements as 4 × 4 matrices by rows, and the one that best brings points onto others.
export const identity = () => [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
export const translation = ([x, y, z]) => [1, 0, 0, x, 0, 1, 0, y, 0, 0, 1, z, 0, 0, 0, 1];

export function multiply(one, other) {
  return Array.from({ length: 16 }, (_, at) => [0, 1, 2, 3].reduce((sum, step) => sum + one[(at - (at % 4)) + step] * other[step * 4 + (at % 4)], 0));
}

export function rotation(axis, degrees) {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const [a, b] = [[1, 2], [2, 0], [0, 1]][axis];
  const matrix = identity();
  matrix[a * 4 + a] = c;
  matrix[b * 4 + b] = c;
  matrix[a * 4 + b] = -s;
  matrix[b * 4 + a] = s;
  return matrix;
}

export const aroundCentre = (turned, centre) => multiply(translation(centre), multiply(turned, translation(centre.map((value) => -value))));

// Move points, given one after the other as x, y, z.
export function apply(m, points) {
  const moved = new (points.constructor === Array ? Array : Float32Array)(points.length);
  for (let at = 0; at < points.length; at += 3) {
    const [x, y, z] = [points[at], points[at + 1], points[at + 2]];
    for (let row = 0; row < 3; row += 1) moved[at + row] = m[row * 4] * x + m[row * 4 + 1] * y + m[row * 4 + 2] * z + m[row * 4 + 3];
  }
  return moved;
}

const mean = (points) => [0, 1, 2].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);

// Horn's closed form (J. Opt. Soc. Am. A 4, 629, 1987): the turn is the quaternion of the largest eigenvalue of a
// symmetric 4 × 4 matrix. `pairs` are [from, to] in mm, three or more; `error` is the root mean square in mm.
export function pairsFit(pairs) {
  const [from, to] = [mean(pairs.map(([point]) => point)), mean(pairs.map(([, point]) => point))];
  const s = [0, 1, 2].map((row) => [0, 1, 2].map((column) => pairs.reduce((sum, [a, b]) => sum + (a[row] - from[row]) * (b[column] - to[column]), 0)));
  const [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = s;
  const [w, x, y, z] = largest([
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ]);
  const turned = [
    w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y), 0,
    2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x), 0,
    2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z, 0,
    0, 0, 0, 1,
  ];
  const matrix = multiply(translation(to), multiply(turned, translation(from.map((value) => -value))));
  const off = pairs.map(([a, b]) => apply(matrix, a).reduce((sum, value, axis) => sum + (value - b[axis]) ** 2, 0));
  return { matrix, error: Math.sqrt(off.reduce((sum, value) => sum + value, 0) / pairs.length) };
}

// The eigenvector of the largest eigenvalue, by Jacobi's turns.
function largest(matrix) {
  const a = matrix.map((row) => [...row]);
  const v = [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => Number(row === column)));
  for (let sweep = 0; sweep < 40; sweep += 1) {
    for (let p = 0; p < 3; p += 1) {
      for (let q = p + 1; q < 4; q += 1) {
        if (Math.abs(a[p][q]) < 1e-14) continue;
        const angle = 0.5 * Math.atan2(2 * a[p][q], a[q][q] - a[p][p]);
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (let k = 0; k < 4; k += 1) [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]];
        for (let k = 0; k < 4; k += 1) [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
        for (let k = 0; k < 4; k += 1) [v[k][p], v[k][q]] = [c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q]];
      }
    }
  }
  const best = [0, 1, 2, 3].reduce((one, other) => (a[other][other] > a[one][one] ? other : one));
  return v.map((row) => row[best]);
}
