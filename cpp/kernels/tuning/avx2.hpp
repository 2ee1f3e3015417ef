// AVX2 with FMA: 16 vector registers of 32 bytes.
#pragma once

namespace nnative::tuning {

constexpr int kVectorBytes = 32;
constexpr int kNarrowBytes = kVectorBytes;
// The register tile of the matrix product: kTileRows broadcast operands by kTileVectors vectors.
constexpr int kTileRows = 6;
constexpr int kTileVectors = 2;

// Whether tiles copy for later on the way.
constexpr bool kCarries = true;

// Steps that are packed together, and bytes of the packed panels that are walked together where not all of them fit
// into twice as many.
constexpr int kBlockSteps = 1024;
constexpr int kBlockBytes = 262144;

}  // namespace nnative::tuning
