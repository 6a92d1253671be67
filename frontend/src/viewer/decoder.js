// The decoder's worker; where its WebAssembly lies is told in its own address.
import "@cornerstonejs/dicom-image-loader/worker";
