// AVX-512: 32 vector registers of 64 bytes.
#pragma once

namespace nnative::tuning {

constexpr int kVectorBytes = 64;
// The register tile of the matrix product: kTileRows broadcast operands by kTileVectors vectors.
constexpr int kTileRows = 12;
constexpr int kTileVectors = 2;

// Steps of one block of the product, and bytes of the packed panels that are walked together.
constexpr int kBlockSteps = 2048;
constexpr int kBlockBytes = 524288;

}  // namespace nnative::tuning
