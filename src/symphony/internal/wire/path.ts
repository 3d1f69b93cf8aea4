/** Paths of Symphony's services: a template and the name of its service. */
import type * as Template from "../../../internal/path.ts"

/** The services of a pod. Each has an address in the configuration, and its name begins its paths. */
export type Service = "agent" | "pod" | "login" | "relay"

export interface Path extends Template.Path {
  readonly service: Service
}

const of =
  (service: Service) => ([first = "", ...others]: TemplateStringsArray, ...parts: ReadonlyArray<string>): Path => ({
    service,
    texts: [`/${service}${first}`, ...others],
    parts
  })

export const agent = of("agent")
export const pod = of("pod")
export const login = of("login")
export const relay = of("relay")
