// In a clone of the repository, the package is its own source. Your project needs no such file.
export default {
  resolve: { conditions: ["effect-herald-source", "module", "browser", "development|production"] }
}
