// x86-64-v2 or plain ARMv8: 16 vector registers of 16 bytes.
#pragma once

namespace nnative::tuning {

constexpr int kVectorBytes = 16;
// The register tile of the matrix product: kTileRows broadcast operands by kTileVectors vectors.
constexpr int kTileRows = 4;
constexpr int kTileVectors = 2;

// Bytes of a packed panel for one block of steps, and panels walked for one tile of A.
constexpr int kBlockBytes = 32768;
constexpr int kBlockPanels = 8;

}  // namespace nnative::tuning
