// Bones in space: what is denser than a limit, in the colour of bone and a little transparent, so that surfaces show.
import vtkColorTransferFunction from "@kitware/vtk.js/Rendering/Core/ColorTransferFunction";
import vtkPiecewiseFunction from "@kitware/vtk.js/Common/DataModel/PiecewiseFunction";

// Where in the bone window bone begins, and how wide its edge is.
const BEGINS = -0.08;
const EDGE = 0.1;
// A sample for each voxel, not two: enough to see where something lies.
const COARSE = 2;

// `part` of 0 hides them, 1 shows them most.
export function showBones(viewport, windows, part = 1) {
  const [centre, width] = windows.bone ?? windows.default;
  const from = centre + BEGINS * width;
  const opacity = vtkPiecewiseFunction.newInstance();
  for (const [value, most] of [[from, 0], [from + EDGE * width, 0.3], [centre + width / 2, 0.6]]) opacity.addPoint(value, most * part);
  const colours = vtkColorTransferFunction.newInstance();
  colours.addRGBPoint(from, 0.72, 0.6, 0.48);
  colours.addRGBPoint(centre + width / 2, 1, 0.97, 0.9);
  const { actor } = viewport.getDefaultActor();
  // Nothing to be seen costs the most: no ray ends early.
  actor.setVisibility(part > 0);
  const property = actor.getProperty();
  property.setScalarOpacity(0, opacity);
  property.setRGBTransferFunction(0, colours);
  property.setInterpolationTypeToLinear();
  property.setShade(true);
  property.setAmbient(0.25);
  property.setDiffuse(0.7);
  property.setSpecular(0.15);
  viewport.setSampleDistanceMultiplier(COARSE);
}
