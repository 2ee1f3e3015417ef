// AVX2 with FMA: 16 vector registers of 32 bytes.
#pragma once

namespace nnative::tuning {

constexpr int kVectorBytes = 32;
// The register tile of the matrix product: kTileRows broadcast operands by kTileVectors vectors.
constexpr int kTileRows = 6;
constexpr int kTileVectors = 2;

// Bytes of a packed panel for one block of steps, and panels walked for one tile of A.
constexpr int kBlockBytes = 32768;
constexpr int kBlockPanels = 8;

}  // namespace nnative::tuning
