// AVX2 with FMA: 16 vector registers of 32 bytes.
#pragma once

namespace nnative::tuning {

constexpr int kVectorBytes = 32;
constexpr int kNarrowBytes = kVectorBytes;
// The register tile of the matrix product: kTileRows broadcast operands by kTileVectors vectors.
constexpr int kTileRows = 6;
constexpr int kTileVectors = 2;

// Steps that are packed together, bytes of the packed panels that are walked together, and steps of a tile before the
// next panel has its turn: so many that its rows of A stay in the first-level cache.
constexpr int kBlockSteps = 1024;
constexpr int kBlockBytes = 262144;
constexpr int kTileSteps = 384;

}  // namespace nnative::tuning
