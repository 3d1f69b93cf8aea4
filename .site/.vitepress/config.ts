/** The manual as a site: the pages of the repository, which `pages.ts` copies, and the API reference of `typedoc`. */
import { defineConfig } from "vitepress"

const page = (text: string, link: string) => ({ text, link: `/docs/${link}` })

export default defineConfig({
  title: "effect-herald",
  description: "PubNub and Symphony for Effect: real-time messaging in which nothing is lost in silence.",
  srcDir: "pages",
  outDir: "dist",
  cacheDir: ".cache",
  rewrites: { "README.md": "index.md" },
  cleanUrls: true,
  lastUpdated: false,
  // Sources of examples are read in the repository.
  ignoreDeadLinks: [/\.ts$/],
  markdown: { theme: { light: "github-light", dark: "github-dark" } },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [page("Start", "start"), page("Guides", "readers"), page("Errors", "errors"), { text: "API", link: "/api/" }],
    sidebar: [
      { text: "Start", items: [page("Start here", "start"), page("Which reader do I use?", "readers")] },
      {
        text: "Guides",
        items: [
          page("Publish safely", "guide/publishing"),
          page("Subscribe", "guide/subscribing"),
          page("Durable workers", "guide/durable-workers"),
          page("Presence", "guide/presence"),
          page("Reactions and receipts", "guide/reactions"),
          page("Users and channels", "guide/users-and-channels"),
          page("History", "guide/history"),
          page("Encryption", "guide/encryption"),
          page("Symphony bots", "guide/symphony-bots"),
          page("In the browser", "guide/browser"),
          page("Test your application", "guide/testing"),
          page("Run it in production", "guide/production")
        ]
      },
      {
        text: "Coming from",
        items: [
          page("pubnub (JavaScript)", "coming-from/pubnub"),
          page("the Python SDK", "coming-from/python"),
          page("the Symphony BDK", "coming-from/symphony-bdk")
        ]
      },
      {
        text: "What is promised",
        items: [
          page("Errors", "errors"),
          page("Guarantees", "guarantees"),
          page("Reliability, measured", "reliability"),
          page("Performance, measured", "performance"),
          page("Design", "design")
        ]
      },
      {
        text: "Reference",
        collapsed: true,
        items: [
          { text: "API", link: "/api/" },
          page("Commands", "reference/commands"),
          page("Publish and subscribe", "reference/publish-subscribe"),
          page("Durable readers", "reference/durable"),
          page("History", "reference/history"),
          page("Message actions", "reference/message-actions"),
          page("App Context", "reference/app-context"),
          page("Symphony", "reference/symphony"),
          page("Testing", "reference/testing")
        ]
      }
    ]
  }
})
