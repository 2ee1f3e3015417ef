// AVX-512: 32 vector registers of 64 bytes.
#pragma once

namespace nnative::tuning {

constexpr int kVectorBytes = 64;
// The register tile of the matrix product: kTileRows broadcast operands by kTileVectors vectors.
constexpr int kTileRows = 12;
constexpr int kTileVectors = 2;

}  // namespace nnative::tuning
