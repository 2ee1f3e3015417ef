// AVX-512: 32 vector registers of 64 bytes.
#pragma once

namespace nnative::tuning {

constexpr int kVectorBytes = 64;
// Twice as many of half a vector are multiplied in a cycle.
constexpr int kNarrowBytes = 32;
// The register tile of the matrix product: kTileRows broadcast operands by kTileVectors vectors.
constexpr int kTileRows = 12;
constexpr int kTileVectors = 2;

// Whether tiles copy for later on the way.
constexpr bool kCarries = true;

// Steps that are packed together, and bytes of the packed panels that are walked together where not all of them fit
// into twice as many.
constexpr int kBlockSteps = 2048;
constexpr int kBlockBytes = 262144;

}  // namespace nnative::tuning
