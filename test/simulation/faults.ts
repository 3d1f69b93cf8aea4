/** The faults of the requests that these programs make: the storage of files is not among them. */
import * as Faults from "effect-herald/testing/Faults"

export const faults = Faults.everything.filter(({ fault }) => fault._tag !== "StorageRefused")
