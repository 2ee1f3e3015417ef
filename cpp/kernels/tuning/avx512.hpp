// AVX-512: 32 vector registers of 64 bytes.
#pragma once

namespace nnative::tuning {

constexpr int kVectorBytes = 64;
// The register tile of the matrix product: kTileRows broadcast operands by kTileVectors vectors.
constexpr int kTileRows = 12;
constexpr int kTileVectors = 2;

// Bytes of a packed panel for one block of steps, and panels walked for one tile of A.
constexpr int kBlockBytes = 131072;
constexpr int kBlockPanels = 4;

}  // namespace nnative::tuning
