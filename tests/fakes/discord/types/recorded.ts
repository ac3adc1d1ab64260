// What an event may be, given as values that were recorded: JSON has no enumerations, and flags are sums of theirs.
import type * as discord from "discord-api-types/v10";

type Flags =
  | discord.ApplicationFlags
  | discord.AttachmentFlags
  | discord.ChannelFlags
  | discord.EmbedFlags
  | discord.GuildMemberFlags
  | discord.GuildSystemChannelFlags
  | discord.MessageFlags
  | discord.RoleFlags
  | discord.ThreadMemberFlags
  | discord.UserFlags;

export type Recorded<T> = T extends string
  ? `${T}`
  : T extends Flags
    ? number
    : T extends number
      ? `${T}` extends `${infer Value extends number}` ? Value : never
      : T extends object
        ? { [Key in keyof T]: Recorded<T[Key]> }
        : T;
