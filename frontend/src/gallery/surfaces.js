// A surface (STL or PLY) turned with mouse or fingers. Axes as in DICOM: x to the patient's left, y to the back, z up.
import {
  AmbientLight,
  Box3,
  Color,
  DirectionalLight,
  DoubleSide,
  Mesh,
  MeshStandardMaterial,
  PerspectiveCamera,
  Scene,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { PLYLoader } from "three/addons/loaders/PLYLoader.js";
import { STLLoader } from "three/addons/loaders/STLLoader.js";

const FROM = { front: [0, -1, 0], left: [1, 0, 0], right: [-1, 0, 0], above: [0, -0.001, 1], below: [0, -0.001, -1] };
const TOOTH = 0xe9dfc9;
const place = document.querySelector("[data-surface]");

start().catch((error) => {
  console.warn(error.name);
  const words = document.createElement("p");
  words.className = "notice warn";
  words.textContent = place.dataset.failed;
  place.replaceChildren(words);
});

async function start() {
  const answer = await fetch(place.dataset.surface);
  if (!answer.ok) throw new Error(String(answer.status));
  const bytes = await answer.arrayBuffer();
  const loader = place.dataset.type === "model/ply" ? new PLYLoader() : new STLLoader();
  const geometry = loader.parse(bytes);
  if (!geometry.getAttribute("normal")) geometry.computeVertexNormals();
  show(geometry);
}

function show(geometry) {
  const renderer = new WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
  const scene = new Scene();
  scene.background = new Color(0x1b2129);
  const coloured = Boolean(geometry.getAttribute("color"));
  const material = new MeshStandardMaterial({ color: coloured ? 0xffffff : TOOTH, vertexColors: coloured, roughness: 0.55, side: DoubleSide });
  scene.add(new Mesh(geometry, material), new AmbientLight(0xffffff, 1.1));
  const camera = new PerspectiveCamera(35, 1, 0.1, 10000);
  camera.up.set(0, 0, 1);
  // The light goes with the eye, so that no side lies in the dark.
  const light = new DirectionalLight(0xffffff, 2.2);
  camera.add(light);
  scene.add(camera);
  const box = new Box3().setFromBufferAttribute(geometry.getAttribute("position"));
  const centre = box.getCenter(new Vector3());
  const radius = Math.max(box.getSize(new Vector3()).length() / 2, 0.001);
  place.replaceChildren(renderer.domElement);
  const controls = new OrbitControls(camera, renderer.domElement);
  controls.target.copy(centre);
  controls.minDistance = radius / 4;
  controls.maxDistance = radius * 12;
  camera.near = radius / 100;
  camera.far = radius * 30;

  const draw = () => renderer.render(scene, camera);
  const fit = () => {
    const { width, height } = place.getBoundingClientRect();
    renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, 2));
    renderer.setSize(width, height);
    camera.aspect = width / height;
    camera.updateProjectionMatrix();
    draw();
  };
  const from = (name) => {
    const narrow = Math.min(camera.aspect, 1);
    const distance = (radius / Math.sin((camera.fov * Math.PI) / 360) / narrow) * 1.05;
    camera.position.copy(centre).addScaledVector(new Vector3(...FROM[name]).normalize(), distance);
    controls.update();
    draw();
  };
  controls.addEventListener("change", draw);
  new ResizeObserver(fit).observe(place);
  fit();
  from("front");
  tools(from, () => {
    material.wireframe = !material.wireframe;
    draw();
    return material.wireframe;
  });
  const corners = geometry.index ? geometry.index.count : geometry.getAttribute("position").count;
  document.querySelector("[data-triangles]").textContent = Math.round(corners / 3).toLocaleString(document.documentElement.lang);
  place.dataset.ready = "1";
}

function tools(from, wire) {
  const bar = document.querySelector("[data-tools]");
  bar.hidden = false;
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    if (button.dataset.do === "wire") button.setAttribute("aria-pressed", String(wire()));
    else from(button.dataset.do);
  });
}
