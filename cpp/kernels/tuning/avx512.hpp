// AVX-512: 32 vector registers of 64 bytes.
#pragma once

namespace nnative::tuning {

constexpr int kVectorBytes = 64;
// Twice as many of half a vector are multiplied in a cycle.
constexpr int kNarrowBytes = 32;
// The register tile of the matrix product: kTileRows broadcast operands by kTileVectors vectors.
constexpr int kTileRows = 12;
constexpr int kTileVectors = 2;

// Steps that are packed together, bytes of the packed panels that are walked together, and steps of a tile before the
// next panel has its turn: so many that its rows of A stay in the first-level cache.
constexpr int kBlockSteps = 2048;
constexpr int kBlockBytes = 524288;
constexpr int kTileSteps = 384;

}  // namespace nnative::tuning
