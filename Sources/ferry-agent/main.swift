import Agent
import ArgumentParser
