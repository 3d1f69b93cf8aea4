/**
 * `herald push`: the devices that get push messages, and their channels.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Push from "../../pubnub/Push.ts"
import * as PushDevice from "../../pubnub/PushDevice.ts"
import { text } from "../input/flags.ts"
import { orUndecodable, writeValue, writeValues } from "../output/write.ts"
import { channels as someChannels } from "./arguments.ts"
import { withKeyset } from "./keyset.ts"

const device = {
  token: Argument.String("device").pipe(Argument.withDescription("The token of the device")),
  topic: text("topic", "The topic at APNs, such as com.example.app (default: none, a device of FCM)"),
  environment: Flag.Literals("environment", ["development", "production"]).pipe(
    Flag.withDefault("production"),
    Flag.withDescription("The service of APNs (default: production)")
  )
}

const deviceOf = ({ environment, token, topic }: {
  readonly token: string
  readonly topic: string | undefined
  readonly environment: "development" | "production"
}): PushDevice.Device => topic === undefined ? PushDevice.fcm(token) : PushDevice.apns({ token, topic, environment })

const channels = someChannels(1, "1 to 100 channels")

const toText = orUndecodable((name: string) => name)

const add = Command.make("add", { ...device, channels }, (options) =>
  Effect.andThen(
    Push.addChannels({ device: deviceOf(options), channels: options.channels }),
    writeValue({ added: options.channels }, ({ added }) => `added: ${added.join(", ")}`)
  )).pipe(Command.withDescription("Let a device get the push messages of channels"))

const remove = Command.make("remove", { ...device, channels }, (options) =>
  Effect.andThen(
    Push.removeChannels({ device: deviceOf(options), channels: options.channels }),
    writeValue({ removed: options.channels }, ({ removed }) => `removed: ${removed.join(", ")}`)
  )).pipe(Command.withDescription("Stop the push messages of channels to a device"))

const list = Command.make(
  "list",
  device,
  (options) =>
    Effect.flatMap(
      Push.listChannels({ device: deviceOf(options) }),
      (names) =>
        writeValues(Stream.map(Stream.fromIterable(names), (channel) => ({ channel })), {
          toText: ({ channel }) => toText(channel)
        })
    )
).pipe(Command.withDescription("Print the channels of a device"))

const removeDevice = Command.make("remove-device", device, (options) =>
  Effect.andThen(
    Push.removeDevice({ device: deviceOf(options) }),
    writeValue({ removed: "device" }, () => "removed the device")
  )).pipe(Command.withDescription("Stop all push messages to a device"))

export const push = Command.make("push").pipe(
  Command.withSubcommands([add, remove, list, removeDevice]),
  withKeyset,
  Command.withDescription("Devices of mobile push, and their channels")
)
